"""What programs that answer over HTTP share: bounds on connections and bodies."""
