package crm

import (
	"slices"
	"strings"
)

// IsTrue says whether a value of the configuration is true to Pacemaker (crm_str_to_boolean()). For
// a word that means neither, both IsTrue and IsFalse are false.
func IsTrue(word string) bool {
	return slices.Contains([]string{"true", "on", "yes", "y", "1"}, strings.ToLower(word))
}

// IsFalse says whether a value of the configuration is false to Pacemaker.
func IsFalse(word string) bool {
	return slices.Contains([]string{"false", "off", "no", "n", "0"}, strings.ToLower(word))
}
