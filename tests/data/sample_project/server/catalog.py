"""Articles, and how customers find them."""

import sqlite3
from decimal import Decimal

from flask import Blueprint, current_app, jsonify, redirect, request

catalog = Blueprint("catalog", __name__)


def connect():
    database = sqlite3.connect(current_app.config["DATABASE"])
    database.row_factory = sqlite3.Row
    return database


@catalog.get("/articles")
def search():
    term = request.args.get("q", "")
    order = request.args.get("order", "name")
    database = connect()
    rows = database.execute(f"SELECT id, name, price FROM articles WHERE name LIKE '%{term}%' ORDER BY {order}")
    return jsonify([dict(row) for row in rows])


@catalog.get("/articles/<int:article_id>")
def show(article_id):
    row = connect().execute("SELECT id, name, price FROM articles WHERE id = ?", (article_id,)).fetchone()
    if row is None:
        return jsonify({"error": "no such article"}), 404
    return jsonify(dict(row))


@catalog.get("/leave")
def leave():
    """Count the click, then go on to the manufacturer's page."""
    current_app.logger.info("leaving for %s", request.args["to"])
    return redirect(request.args["to"])


def with_tax(price, rate=Decimal(0.19)):
    return (price * (1 + rate)).quantize(Decimal("0.01"))
