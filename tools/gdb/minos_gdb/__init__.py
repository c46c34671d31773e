"""minos_gdb - the commands that tools/gdb/minos.py brings to gdb, a file for each."""
