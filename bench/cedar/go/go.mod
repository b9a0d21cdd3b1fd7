module cedarbench

go 1.24
