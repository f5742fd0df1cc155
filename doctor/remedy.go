package doctor

import (
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// Define returns the command that writes objects as they ought to be, in one transaction. An object
// whose secret would be shown has to be edited by hand, and so has one that is made from a
// template, together with the template: the mistake may be in either.
func Define(objects ...crm.Object) string {
	var lines []string
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok && p.Template != "" {
			return "crm configure edit " + Quote(p.Template) + " " + Quote(p.Name) +
				"    # the template, and what is made from it"
		}
		if crm.WithoutSecrets(o).String() != o.String() {
			return "crm configure edit " + Quote(o.ID())
		}
		lines = append(lines, Quote(strings.ReplaceAll(o.String(), " \\\n\t", " ")))
	}
	return `printf '%s\n' ` + strings.Join(lines, " ") + loading
}

// plain has the characters that have no meaning of their own in a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,"

// Quote quotes a word for a shell.
func Quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune(plain, r)
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// loading ends a command that sends statements to hawser.
const loading = " | hawser configure load update -"
