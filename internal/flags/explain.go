package flags

import (
	"fmt"
	"strings"
)

// Explain replaces package flag's messages about an option: they show one dash where two are typed,
// and say about a wrong time or number only that it did not parse.
func Explain(message string) string {
	if option, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		return "there is no option " + dashed(option)
	}
	if option, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return dashed(option) + " needs a value"
	}
	value, rest, ok := strings.Cut(strings.TrimPrefix(message, "invalid value "), " for flag -")
	option, _, isParse := strings.Cut(rest, ": parse error")
	switch {
	case !ok || !isParse:
		return message
	case option == "timeout" || option == "max-hold":
		return fmt.Sprintf("%s %s: expected a time with its unit, such as 90s or "+
			"5m", dashed(option),
			value)
	}
	return fmt.Sprintf("%s %s: expected a whole number", dashed(option), value)
}

// dashed returns an option as it is typed.
func dashed(option string) string {
	if len(option) == 1 {
		return "-" + option
	}
	return "--" + strings.TrimPrefix(option, "-")
}
