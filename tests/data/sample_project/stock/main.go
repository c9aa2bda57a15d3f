// Command stock answers how many of an article are left.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

type server struct {
	store *Store
}

func (s *server) left(w http.ResponseWriter, r *http.Request) {
	article := r.URL.Query().Get("article")
	count, err := s.store.Left(article)
	if err != nil {
		fmt.Fprintf(w, "<p>no article %s</p>", r.URL.Query().Get("article"))
		return
	}
	json.NewEncoder(w).Encode(map[string]int{article: count})
}

func main() {
	database, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer database.Close()

	s := &server{store: NewStore(database)}
	http.HandleFunc("/left", s.left)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
