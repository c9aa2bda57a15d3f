export = "customer,kind,amount\nann,payment,10.10\nbob,refund,5\nann,refund,0.10\ncy,refund, 7.5\n"
totals = totals_by_customer(export)
assert totals == {"ann": Decimal("10.00"), "bob": Decimal("-5"), "cy": Decimal("-7.5")}
assert debtors(totals) == ["cy", "bob"]
assert debtors(totals, 1) == ["cy"]
