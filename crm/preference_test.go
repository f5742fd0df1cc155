package crm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// Only a constraint that says one thing and nothing else is taken for it.
func TestPlainConstraints(t *testing.T) {
	for statement, want := range map[string]string{
		"location l VIP 100: lb-1":                                 "lb-1 100",
		"location l VIP inf: lb-1":                                 "lb-1 1000000",
		"location l VIP -inf: lb-1":                                "lb-1 -1000000",
		"location l VIP rule 50: #uname eq lb-1":                   "lb-1 50",
		"location l VIP rule 50: #uname ne lb-1":                   "",
		"location l VIP rule 50: #uname eq lb-1 and defined pingd": "",
		"location l VIP rule 50: #uname eq lb-1 or #uname eq lb-2": "",
		"location l VIP rule $role=Promoted 50: #uname eq lb-1":    "",
		"location l VIP role=Promoted 100: lb-1":                   "",
		"location l VIP resource-discovery=never 100: lb-1":        "",
		"location l /V.*/ 100: lb-1":                               "",
		"colocation c inf: A B":                                    "A B",
		"colocation c 100: A B":                                    "",
		"colocation c -inf: A B":                                   "",
		"colocation c inf: A B:Promoted":                           "",
		"colocation c inf: A B C":                                  "",
		"colocation c inf: A B node-attribute=rack":                "",
		"order o A B":            "A B",
		"order o Mandatory: A B": "A B",
		"order o Mandatory: A:start B:start symmetrical=true":            "A B",
		"order o Optional: A B":                                          "",
		"order o Serialize: A B":                                         "",
		"order o Mandatory: A B symmetrical=false":                       "",
		"order o Mandatory: A:promote B:start":                           "",
		"order o Mandatory: A:stop B:stop":                               "",
		"order o Mandatory: A B C":                                       "",
		"order o Mandatory: [ A B ] C":                                   "",
		"location l VIP rule 50: #uname eq lb-1 rule 20: #uname eq lb-2": "",
		"location l { A B } 100: lb-1":                                   "",
		"colocation c inf: A:Started B:Started":                          "A B",
	} {
		t.Run(statement, func(t *testing.T) {
			script, err := crm.ParseShell("test", []byte(statement+"\n"))
			require.NoError(t, err)
			got := ""
			switch o := script.Objects[0].(type) {
			case *crm.Location:
				if node, score, ok := o.Preference(); ok {
					got = fmt.Sprintf("%s %d", node, score)
				}
			case *crm.Colocation:
				if resource, with, ok := o.Together(); ok {
					got = resource + " " + with
				}
			case *crm.Order:
				if first, then, ok := o.Follows(); ok {
					got = first + " " + then
				}
			}
			require.Equal(t, want, got)
		})
	}
	for text, want := range map[string]int{"100": 100, "+5": 5, "-7": -7, "INFINITY": crm.Infinity, "inf": crm.Infinity,
		"-INFINITY": -crm.Infinity, "99999999": crm.Infinity} {
		score, ok := crm.ScoreOf(text)
		require.True(t, ok, text)
		require.Equal(t, want, score, text)
	}
	_, ok := crm.ScoreOf("many")
	require.False(t, ok)
}
