package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/machines/machinestest"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// onMachines is a node of a cluster of these machines.
func onMachines(t *testing.T, nodes ...string) (
	w *machinestest.World, sys *system, stdout, stderr *bytes.Buffer,
) {
	t.Helper()
	w = machinestest.New(t, nodes...)
	sys, stdout, stderr = testSystem(t, crmtest.New(nodes...))
	sys.Root = true
	sys.Shell = func([]string, string) machines.Shell { return w.Shell() }
	return w, sys, stdout, stderr
}

func TestQuorumDevice(t *testing.T) {
	w, sys, stdout, stderr := onMachines(t, "lb-1", "lb-2")
	hawser := func(line string) int {
		stdout.Reset()
		stderr.Reset()
		return run(strings.Fields("hawser "+line), sys)
	}
	require.Equal(t, exitOK, hawser("quorum status"), stderr)
	require.Contains(t, stdout.String(), "Cluster edge has no quorum device.")

	require.Equal(t, exitUsage, hawser("quorum device add qnetd"))
	require.Contains(t, stderr.String(), "use --yes, or --print")
	sys.interactive, sys.stdin = true, strings.NewReader("no\n")
	require.Equal(t, exitFailed, hawser("quorum device add qnetd"))
	require.Contains(t, stderr.String(), "nothing was changed")
	require.Contains(t, stdout.String(), "3 votes instead of 2, 2 of them make a quorum")
	require.Empty(t, w.Ran())

	w.Write("lb-2", "/broken", "")
	require.Equal(t, exitFailed, hawser("quorum device add qnetd --yes"))
	require.Contains(t, stderr.String(), "on lb-2, failed: start corosync-qdevice")
	require.Contains(t, stderr.String(), "`hawser quorum device add qnetd` again goes on from here")
	require.Equal(t, exitDegraded, hawser("quorum status"))
	require.Contains(t, stdout.String(), "half-made")
	require.Contains(t, stdout.String(), "`hawser quorum device add qnetd --algorithm ffsplit` goes on with")
	w.Remove("lb-2", "/broken")

	sys.stdin = strings.NewReader("yes\n")
	require.Equal(t, exitOK, hawser("quorum device add qnetd"), stderr)
	require.Contains(t, stdout.String(), "The device at qnetd votes.")
	require.Equal(t, exitOK, hawser("quorum status"), stderr)
	require.Regexp(t, `lb-2 +yes +yes +yes +yes +yes +yes`, stdout.String())
	require.Equal(t, exitOK, hawser("quorum device add qnetd --yes"))
	require.Contains(t, stdout.String(), "already: nothing to do")

	require.Equal(t, exitOK, hawser("quorum device remove --print"))
	require.Contains(t, stdout.String(), "### On lb-2, as root")
	require.Equal(t, exitOK, hawser("quorum device remove --yes"), stderr)
	require.Contains(t, stdout.String(), "two_node comes back")
	require.Empty(t, w.LostQuorum())
}

// While somebody reads the plan, somebody else may do something.
func TestMachinesThatChangeMeanwhile(t *testing.T) {
	w, sys, _, stderr := onMachines(t, "lb-1", "lb-2")
	sys.interactive, sys.stdin = true, sayingYes{func() {
		w.Edit("lb-1", "/etc/corosync/corosync.conf", "token: 300", "token: 400")
		w.Edit("lb-2", "/etc/corosync/corosync.conf", "token: 300", "token: 400")
	}}
	require.Equal(t, exitConflict, run([]string{"hawser", "quorum", "device", "add", "qnetd"}, sys))
	require.Contains(t, stderr.String(), "the machines have changed meanwhile")
	require.Empty(t, w.Ran())
}

// sayingYes does something, and then says yes.
type sayingYes struct{ before func() }

func (a sayingYes) Read(p []byte) (int, error) {
	a.before()
	return copy(p, "yes\n"), io.EOF
}

func TestMachinesAsJSON(t *testing.T) {
	w, sys, _, _ := onMachines(t, "lb-1", "lb-2")
	w.Machine("lb-3", machinestest.Address(3))
	code, object := readJSON(t, sys, "quorum", "status")
	require.Equal(t, exitOK, code)
	require.Equal(t, "none", object["state"])
	code, object = readJSON(t, sys, "quorum", "device", "add", "lb-2", "--yes")
	require.Equal(t, exitUsage, code)
	require.Contains(t, message(object), "is a node of this cluster")
	code, object = readJSON(t, sys, "quorum", "device", "add", "qnetd", "--yes", "--algorithm", "lms")
	require.Equal(t, exitOK, code)
	require.Equal(t, true, object["changed"])
	steps, ok := object["steps"].([]any)
	require.True(t, ok)
	for _, s := range steps {
		require.Equal(t, true, s.(map[string]any)["done"])
	}
	code, object = readJSON(t, sys, "corosync", "add", "lb-3", "--address", machinestest.Address(3), "--yes")
	require.Equal(t, exitOK, code, message(object))
	sys.Cluster = crmtest.New("lb-1", "lb-2", "lb-3")
	code, object = readJSON(t, sys, "corosync", "remove", "lb-3", "--yes")
	require.Equal(t, exitOK, code, message(object))
	code, _ = readJSON(t, sys, "quorum", "device", "remove", "--yes")
	require.Equal(t, exitOK, code)
	w.Down("lb-2")
	code, object = readJSON(t, sys, "quorum", "status")
	require.Equal(t, exitUnavailable, code)
	require.Equal(t, "unknown", object["state"])
	require.Empty(t, w.LostQuorum())
}

func TestUsageOfMachines(t *testing.T) {
	sys, _, stderr := testSystem(t, crmtest.New("lb-1", "lb-2"))
	for line, says := range map[string]string{
		"quorum device add":               "a device on which machine?",
		"quorum device add a b":           "takes one HOST",
		"quorum device add a --yes":       "try with sudo",
		"corosync add":                    "which node?",
		"corosync add lb-3":               "give --address ADDRESS",
		"corosync remove":                 "which node?",
		"corosync remove a b":             "takes one NODE",
		"quorum":                          "",
		"corosync":                        "",
		"quorum device":                   "",
		"quorum device remove extra":      "takes no argument",
		"quorum status extra":             "takes no argument",
		"quorum device add a --yes --ssh": "a device on which machine?",
	} {
		stderr.Reset()
		require.NotEqual(t, exitOK, run(strings.Fields("hawser "+line), sys), line)
		require.Contains(t, stderr.String(), says, line)
	}
	sys.Root = true
	require.Equal(t, exitUsage, run([]string{"hawser", "quorum", "status", "--ssh", "'"}, sys))
	require.Contains(t, stderr.String(), "--ssh")
}
