package crm

// FormatShell prints the objects as `crm configure show` does, and as `crm configure load` reads: an object a statement, properties of
// one set together.
func FormatShell(objects []Object) string { panic("not yet") }
