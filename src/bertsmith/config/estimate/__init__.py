"""What a BERT costs: parameters, floating-point operations, memory, time. Pure functions of sizes and lengths, no framework."""
