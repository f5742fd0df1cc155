package fencedroplet_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab/cloud"
)

func TestPowerCycleOfADroplet(t *testing.T) {
	s := newStage(t)
	status := func(want int) {
		t.Helper()
		require.Equal(t, want, s.run("action=status", "port=lb-2").code)
	}
	status(0)
	r := s.run("action=off", "port=lb-2", "nodename=lb-2")
	require.Equal(t, result{0, "Success: Powered OFF\n", ""}, r)
	require.False(t, s.on(1002))
	status(2)
	require.Equal(t, 0, s.run("action=off", "port=1002").code, "it is off already")
	require.Equal(t, result{0, "Success: Powered ON\n", ""}, s.run("action=on", "plug=1002"))
	require.True(t, s.on(1002))
	require.Equal(t, 0, s.run("action=on", "plug=1002").code, "it is on already")
	r = s.run("action=REBOOT", "port=lb-2", "power_wait=5")
	require.Equal(t, result{0, "Success: Rebooted\n", ""}, r)
	require.True(t, s.on(1002))
	require.Equal(t, 0, s.run("port=lb-2").code, "reboot is the default")
	require.Eventually(t, func() bool { return s.on(1002) }, 5*time.Second, time.Millisecond)
	require.Equal(t, 0, s.run("action=off", "nodename=lb-2").code, "the node's name alone")
	require.Equal(t, 0, s.run("action=reboot", "port=lb-2", "power_wait=5").code,
		"of one that is off")
	require.True(t, s.on(1002))
}

func TestDropletIsFoundByItsTag(t *testing.T) {
	s := newStage(t)
	require.Equal(t, 0, s.run("action=off", "port=tag:left").code)
	require.False(t, s.on(2001))
	require.True(t, s.on(2002))
	require.Equal(t, 2, s.run("action=status", "port=twin", "tag=left").code,
		"the tag tells the two of a name apart")
	require.Equal(t, 0, s.run("action=status", "port=2002").code)
}

func TestList(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.SetPower(1002, false))
	require.Equal(t, result{0, "1001,lb-1\n1002,lb-2\n2001,twin\n2002,twin\n3001,db\n", ""},
		s.run("action=list"))
	require.Equal(t, result{0, "1001,lb-1,ON\n1002,lb-2,OFF\n", ""},
		s.run("action=list-status", "tag=LB"))
	require.Equal(t, "1001=lb-1\n", s.run("action=list", "tag=first", "separator==").stdout)
	require.Equal(t, result{0, "", ""}, s.run("action=monitor"))
	require.Equal(t, result{0, "", ""}, s.run("action=monitor", "tag=lb"))
	require.Equal(t, result{0, "", ""}, s.run("action=validate-all"))
	for i := range 250 { // more than a page has
		s.AddDroplet(cloud.Droplet{ID: 5000 + i})
	}
	require.Len(t, strings.Fields(s.run("action=list").stdout), 255)
}

func TestFindIsWhatAFenceWouldFind(t *testing.T) {
	s := newStage(t)
	options := fencedroplet.Options{TokenFile: s.tokenFile, API: s.api}
	for _, plug := range []string{"lb-2", "1002"} {
		m, err := fencedroplet.Find(t.Context(), options, plug)
		require.NoError(t, err)
		require.Equal(t, fencedroplet.Machine{ID: 1002, Name: "lb-2",
			Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.12")}}, m)
	}
	_, err := fencedroplet.Find(t.Context(), options, "twin")
	require.ErrorContains(t, err, "2 match")
	options.Tag = "left"
	m, err := fencedroplet.Find(t.Context(), options, "twin")
	require.NoError(t, err)
	require.Equal(t, 2001, m.ID)
	_, err = fencedroplet.Find(t.Context(), options, "1002")
	require.ErrorContains(t, err, "does not have the tag left")
}

func TestMonitorFindsWhatWouldKeepAFenceFromWorking(t *testing.T) {
	s := newStage(t)
	require.Contains(t, s.run("action=monitor", "tag=nobody").stderr,
		"the API has no droplets with the tag nobody for this token: nothing can be fenced")
	require.Equal(t, 1, s.run("action=monitor", "port=lb-9").code)
	s.token(blind)
	require.Equal(t, 1, s.run("action=monitor").code)
	require.Equal(t, 0, s.run("action=validate-all").code, "which asks nobody")
	require.NoError(t, os.Remove(s.tokenFile))
	require.Contains(t, s.run("action=validate-all").stderr, "is missing on this node")
}

func TestHelpFitsATerminal(t *testing.T) {
	text := newStage(t).main(fence.Env{Args: []string{"fence_droplet", "--help"}}).stdout
	require.Contains(t, text, "--token-file")
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 80, line)
	}
}

func TestMetadataPassesTheSchema(t *testing.T) {
	xmllint := needs.Command(t, "xmllint")
	const schema = "/usr/share/cluster/relaxng/metadata.rng"
	needs.File(t, schema)
	s := newStage(t)
	r := s.main(fence.Env{Args: []string{"fence_droplet", "-o", "metadata"}})
	require.Equal(t, 0, r.code)
	require.Equal(t, r.stdout, s.main(fence.Env{Args: []string{"fence_droplet"},
		Stdin: strings.NewReader("action=metadata\n")}).stdout)
	cmd := exec.Command(xmllint, "--noout", "--relaxng", schema, "-")
	cmd.Stdin = strings.NewReader(r.stdout)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, r.stdout)
	for _, want := range []string{
		`<parameter name="port" unique="0" required="0" deprecated="1">`,
		`<parameter name="plug" unique="0" required="0" obsoletes="port">`,
		`<parameter name="token_file" unique="0" required="1">`,
		`<content type="second" default="40">`, `<action name="off"></action>`,
		`<action name="on" automatic="0"></action>`,
	} {
		require.Contains(t, r.stdout, want)
	}
}
