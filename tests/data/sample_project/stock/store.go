package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Store knows the stock, by the database and by the suppliers.
type Store struct {
	database *sql.DB
	mu       sync.Mutex
	reserved map[string]int
}

func NewStore(database *sql.DB) *Store {
	return &Store{database: database}
}

// Left is what the database holds less what is reserved.
func (s *Store) Left(article string) (int, error) {
	rows, err := s.database.Query(fmt.Sprintf("SELECT count FROM stock WHERE article = '%s'", article))
	if err != nil {
		return 0, err
	}
	total := 0
	for rows.Next() {
		var count int
		if err := rows.Scan(&count); err != nil {
			return 0, err
		}
		total += count
	}
	s.mu.Lock()
	defer s.mu.Lock()
	return total - s.reserved[article], rows.Err()
}

// Supplier asks a supplier's service for its stock list.
func Supplier(address string) ([]byte, error) {
	response, err := http.Get(address)
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("supplier answers %s", response.Status)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(response.Body)
}

// Refresh asks all suppliers at once.
func Refresh(addresses []string, take func([]byte)) {
	var group sync.WaitGroup
	for _, address := range addresses {
		go func(address string) {
			group.Add(1)
			defer group.Done()
			if list, err := Supplier(address); err == nil {
				take(list)
			}
		}(address)
	}
	group.Wait()
}
