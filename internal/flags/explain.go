package flags

import (
	"fmt"
	"strings"
)

// Explain replaces package flag's messages about an option: they show one dash where two are typed,
// and say about a wrong time or number only that it did not parse.
func Explain(message string) string {
	if option, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		return "there is no option " + Dashed(option)
	}
	if option, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return Dashed(option) + " needs a value"
	}
	if value, rest, ok := strings.Cut(message, " for -"); ok {
		if value, ok := strings.CutPrefix(value, "invalid boolean value "); ok {
			option, _, _ := strings.Cut(rest, ": ")
			return fmt.Sprintf("%s=%s: want true or false, or no value, which is true",
				Dashed(option), strings.Trim(value, `"`))
		}
	}
	value, rest, ok := strings.Cut(strings.TrimPrefix(message, "invalid value "), " for flag -")
	option, _, isParse := strings.Cut(rest, ": parse error")
	switch {
	case !ok || !isParse:
		return message
	case option == "timeout" || option == "max-hold":
		return fmt.Sprintf("%s %s: expected a time with its unit, such as 90s or 5m", Dashed(option),
			value)
	}
	return fmt.Sprintf("%s %s: expected a whole number", Dashed(option), value)
}

// Dashed is an option as it is typed.
func Dashed(option string) string {
	if len(option) == 1 {
		return "-" + option
	}
	return "--" + strings.TrimPrefix(option, "-")
}
