"""What goes wrong on the way: connections lost at every point, refusals, stalls, interrupts: nothing half or twice."""
