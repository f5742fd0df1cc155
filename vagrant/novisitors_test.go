//go:build !vagrant

package vagrant

// asVisitors is for the tests on the machines alone.
func asVisitors() (code int, asked bool) { return 0, false }
