package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/complete"
)

// completed is what there is for the cursor at the end of these words.
func completed(t *testing.T, words ...string) string {
	t.Helper()
	fake := crmtest.New("lb-1", "lb-2")
	require.NoError(t, fake.Edit(
		&crm.Primitive{Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy"},
		&crm.Clone{Name: "haproxy-clone", Resource: "haproxy"},
		&crm.Primitive{Name: "FloatIP", Class: "ocf", Provider: "hawser", Type: "floatip"}))
	sys, stdout, stderr := testSystem(t, fake)
	sys.interactive = true
	applied := fake.Applied()
	code := run(append(append([]string{"hawser"}, words...), complete.Asked), sys)
	require.Equal(t, exitOK, code, words)
	require.Equal(t, applied, fake.Applied(), words)
	require.Empty(t, stderr.String(), words)
	return stdout.String()
}

// A TAB does nothing of what is on the line, wherever "--" is.
func TestCompletionRunsNothing(t *testing.T) {
	dir := t.TempDir()
	program, ran := filepath.Join(dir, "reload.sh"), filepath.Join(dir, "ran")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n>"+ran+"\n"), 0o700))
	for _, words := range [][]string{
		{"protect", "--start", "--", program},
		{"protect", "--start", "--", program, ""},
		{"protect", "--start", program, ""},
		{"protect", program, "--", ""},
		{"reload", "--", ""},
		{"reload", "--yes", "--"},
		{"destroy", "--yes", ""},
		{"apply", "--yes", "--", ""},
		{"configure", "delete", "FloatIP", "--", ""},
		{"move", "--yes", "FloatIP", ""},
		{"standby", "--yes", "lb-1", ""},
		{"adopt", "--yes", ""},
		{""},
	} {
		completed(t, words...)
		require.NoFileExists(t, ran, words)
	}
}

// What may be at the cursor: commands, options, their values, and what the cluster has.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"move ":                        "FloatIP",
		"move FloatIP ":                "lb-1 lb-2",
		"move --yes FloatIP ":          "lb-1 lb-2",
		"move --timeout 5s ":           "FloatIP",
		"reload ":                      "haproxy",
		"standby ":                     "lb-1 lb-2",
		"online ":                      "lb-1 lb-2",
		"online lb-1 ":                 "",
		"maintenance ":                 "on off",
		"maintenance on ":              "lb-1 lb-2",
		"cleanup ":                     "FloatIP haproxy haproxy-clone lb-1 lb-2",
		"cleanup haproxy ":             "lb-1 lb-2",
		"stop ":                        "FloatIP",
		"start ":                       "FloatIP haproxy haproxy-clone",
		"adopt --token-file ":          ":files",
		"reload --push ":               ":files",
		"apply -f ":                    ":files",
		"timing --for ":                "lan cloud",
		"timing --for = ":              "lan cloud", // as bash has it
		"timing --for=":                "--for=lan --for=cloud",
		"corosync-conf --network ":     "lan cloud",
		"protect --method ":            "auto nfqueue plug",
		"protect --ports 80 ":          ":commands",
		"protect -- ":                  ":commands",
		"protect -- nginx ":            ":files",
		"protect nginx -":              ":files",
		"configure show ":              "FloatIP haproxy haproxy-clone",
		"configure colocation x inf: ": "FloatIP haproxy haproxy-clone",
		"check ":                       ":files",
		"completion ":                  "bash zsh fish",
		"schema plan ":                 "",
		"schema ": "plan apply destroy adopt init check import-crm import-keepalived status reload reload-push move standby online " +
			"maintenance cleanup stop start timing doctor doctor-list quorum-status quorum-device-add " +
			"quorum-device-remove corosync-add corosync-remove error",
		"quorum device ":                 "add remove",
		"quorum device add --algorithm ": "ffsplit lms",
		"corosync remove ":               "lb-1 lb-2",
		"status ":                        "",
	} {
		var got []string
		for at := range strings.Lines(completed(t, strings.Split(line, " ")...)) {
			word, _, _ := strings.Cut(strings.TrimSpace(at), "\t")
			got = append(got, word)
		}
		if strings.HasPrefix(line, "configure ") {
			require.ElementsMatch(t, strings.Fields(want), got, line)
			continue
		}
		require.Equal(t, want, strings.Join(got, " "), line)
	}
	require.Contains(t, completed(t, ""), "status\tshow nodes")
	require.Contains(t, completed(t, "move", "FloatIP", "--"), "--timeout\twait at most TIME")
	require.NotContains(t, completed(t, ""), protectGuard)
}
