"""A sample with some faults. Move to one and press Ctrl+. (Cmd+. on a Mac)."""

import sqlite3
import subprocess
from decimal import Decimal


def find_customer(db: sqlite3.Connection, name: str) -> list[tuple]:
    query = f"SELECT id, name FROM customers WHERE name = '{name}'"
    return db.execute(query).fetchall()


def archive(folder: str) -> None:
    subprocess.run("tar czf orders.tgz " + folder, shell=True)


def add_order(order: dict, orders: list = []) -> list:
    orders.append(order)
    return orders


def with_tax(price: Decimal) -> Decimal:
    return price * Decimal(1.19)
