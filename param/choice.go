package param

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseInt reads a whole number from min to max.
func ParseInt(text string, min, max int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < min || n > max {
		return 0, fmt.Errorf("is not a whole number from %d to %d", min, max)
	}
	return n, nil
}

// Int binds a whole number from min to max.
func Int(p *int, def, min, max int) Value {
	*p = def
	return bind("integer", strconv.Itoa(def), p, func(text string) (int, error) {
		return ParseInt(text, min, max)
	})
}

// ParseBool reads a boolean in the words that Pacemaker accepts: true, on, yes, y, 1 and false,
// off, no, n, 0, in any case (crm_str_to_boolean()).
func ParseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "on", "yes", "y", "1":
		return true, nil
	case "false", "off", "no", "n", "0":
		return false, nil
	}
	return false, errors.New("is not a boolean: use true or false")
}

// Bool binds a boolean, as ParseBool reads it.
func Bool(p *bool, def bool) Value {
	*p = def
	return bind("boolean", strconv.FormatBool(def), p, ParseBool)
}

// Switch binds a boolean of a fence agent: false until it is set, and without a default in the
// metadata. It accepts the words of Bool.
func Switch(p *bool) Value {
	*p = false
	return bind("boolean", "", p, func(text string) (bool, error) {
		on, err := ParseBool(text)
		if err != nil {
			return false, errors.New("is not a boolean: use 1 or 0")
		}
		return on, nil
	})
}

// ParseEnum reads one of the choices.
func ParseEnum(text string, choices ...string) (string, error) {
	if !slices.Contains(choices, text) {
		return "", fmt.Errorf("is not one of %s", strings.Join(choices, ", "))
	}
	return text, nil
}

// Enum binds one of the choices.
func Enum(p *string, def string, choices ...string) Value {
	*p = def
	return bind("string", def, p, func(text string) (string, error) {
		return ParseEnum(text, choices...)
	})
}
