package corosync

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// ring is what a Corosync has said (recorded on three nodes), with encryption on and two links, and
// what a test makes of it.
type ring struct {
	*bench.Cluster
	cmap, stats, quorum, conf string
	// qdevice is what corosync-qdevice-tool says, "" if it does not run; unit is what systemd says.
	qdevice string
	unit    systemd.Unit
}

func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

func newRing(t *testing.T) *ring {
	t.Helper()
	r := &ring{
		Cluster: bench.New(t), cmap: recorded(t, "cmap.txt"), stats: recorded(t, "stats.txt"),
		quorum: recorded(t, "quorumtool.txt"), conf: recorded(t, "corosync.conf"),
	}
	r.crypto("aes256", "sha256")
	for i, second := range []string{"10.133.0.11", "10.133.0.12", "10.133.0.13"} {
		first := strings.Replace(second, "133", "132", 1)
		node := string(rune('0' + i))
		r.replace(t, &r.conf, "ring0_addr: "+first,
			"ring0_addr: "+first+"\n\t\tring1_addr: "+second)
		r.replace(t, &r.cmap, "nodelist.node."+node+".ring0_addr (str) = "+first,
			"nodelist.node."+node+".ring0_addr (str) = "+first+"\nnodelist.node."+node+
				".ring1_addr (str) = "+second)
		id := string(rune('1' + i))
		r.stats += "stats.knet.node" + id + ".link1.connected (u8) = 1\n"
	}
	r.File(t, "/etc/corosync/authkey", "key")
	return r
}

// crypto sets the encryption, in the file and in force.
func (r *ring) crypto(cipher, hash string) {
	r.conf = strings.NewReplacer("crypto_cipher: none", "crypto_cipher: "+cipher,
		"crypto_hash: none", "crypto_hash: "+hash).Replace(r.conf)
	r.cmap = strings.NewReplacer("crypto_cipher (str) = none", "crypto_cipher (str) = "+cipher,
		"crypto_hash (str) = none", "crypto_hash (str) = "+hash).Replace(r.cmap)
}

func (r *ring) replace(t *testing.T, in *string, old, with string) {
	t.Helper()
	require.Contains(t, *in, old)
	*in = strings.ReplaceAll(*in, old, with)
}

// set gives a setting a value, in the file's section and in force.
func (r *ring) set(t *testing.T, section, name, value string) {
	t.Helper()
	r.replace(t, &r.conf, section+" {\n", section+" {\n\t"+name+": "+value+"\n")
	r.cmap += section + "." + name + " (str) = " + value + "\n"
}

// twoNodes takes the third one away.
func (r *ring) twoNodes(t *testing.T) {
	t.Helper()
	at := strings.LastIndex(r.conf, "\tnode {")
	r.conf = r.conf[:at] + "}\n"
	lines := strings.SplitAfter(r.cmap, "\n")
	r.cmap = ""
	for _, l := range lines {
		if !strings.HasPrefix(l, "nodelist.node.2.") &&
			!strings.HasPrefix(l, "runtime.members.3.") {
			r.cmap += l
		}
	}
	r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   2").Replace(r.quorum)
	r.Edit(t, `<node id="3" uname="lb-3"/>`, "")
	r.Cut(t, `<node_state id="3"`, `</node_state>`)
}

func (r *ring) findings(t *testing.T) []doctor.Finding {
	t.Helper()
	r.File(t, confFile, r.conf)
	c := &Ring{
		Files: r.Files,
		Keys: func(context.Context) (corosync.Keys, error) {
			return corosync.ParseKeys(r.cmap), nil
		},
		Stats: func(context.Context) (corosync.Keys, error) {
			return corosync.ParseKeys(r.stats), nil
		},
		Votes: func(context.Context) (corosync.Votes, error) {
			return corosync.ParseVotes(r.quorum)
		},
		Timing: func(context.Context) (corosync.Effective, error) {
			return corosync.ParseCmap(r.cmap)
		},
		Pacemaker: r.Cluster,
		QDevice: func(context.Context) (corosync.QDevice, error) {
			if r.qdevice == "" {
				return corosync.QDevice{}, corosync.ErrNotRunning
			}
			return corosync.ParseQDevice(r.qdevice), nil
		},
		Unit: func(context.Context, string) (systemd.Unit, error) { return r.unit, nil },
	}
	report := doctor.Run(t.Context(), c.Checks())
	return report.Findings
}

func TestHealthyCorosync(t *testing.T) {
	require.Empty(t, newRing(t).findings(t))
}

// provoked is a finding and what Corosync's tools would say to have it.
type provoked struct {
	name    string
	provoke func(t *testing.T, r *ring)
	want    doctor.Severity
	says    string // among What and Why
	also    string // the check that finds something of it too
}

// TestFindings provokes each finding.
func TestFindings(t *testing.T) {
	for check, all := range map[string][]provoked{
		"corosync-timing":     provokeTiming(),
		"corosync-reloaded":   provokeReloaded(),
		"corosync":            provokeConf(),
		"corosync-encryption": provokeEncryption(),
		"corosync-links":      provokeLinks(),
		"corosync-nodes":      provokeNodes(),
		"corosync-quorum":     provokeQuorum(),
		"node-address":        provokeNodeAddress(),
	} {
		for _, p := range all {
			t.Run(check+"/"+p.name, func(t *testing.T) {
				r := newRing(t)
				p.provoke(t, r)
				found := p.of(t, check, r.findings(t))
				require.Equal(t, p.want, found[0].Severity, "%+v", found)
				require.Contains(t, found[0].What+"\n"+found[0].Why, p.says)
				for _, f := range found {
					require.NotEmpty(t, f.Why)
					require.NotEmpty(t, f.Remedies())
					bench.Pasteable(t, f)
				}
			})
		}
	}
}

// of are the findings of the check; another check may have found something only where that is said.
func (p provoked) of(t *testing.T, check string, all []doctor.Finding) []doctor.Finding {
	t.Helper()
	var found []doctor.Finding
	for _, f := range all {
		if f.Check == check {
			found = append(found, f)
		} else {
			require.Equal(t, p.also, f.Check, "%+v", f)
		}
	}
	require.NotEmpty(t, found, "%+v", all)
	return found
}

// TestConnectedDevice finds nothing in two nodes with a quorum device that votes.
func TestConnectedDevice(t *testing.T) {
	r := newRing(t)
	r.withDevice(t)
	require.Empty(t, r.findings(t))
}

// TestPingsOfTwoLinks takes links that have different pings for what they are.
func TestPingsOfTwoLinks(t *testing.T) {
	r := newRing(t)
	r.replace(t, &r.conf, "\tinterface {\n",
		"\tinterface {\n\t\tlinknumber: 1\n\t\tknet_ping_interval: 400\n\t\tknet_ping_timeout: "+
			"2000\n\t}\n\tinterface {\n")
	r.cmap += "totem.interface.1.knet_ping_interval (u32) = 400\n" +
		"totem.interface.1.knet_ping_timeout (u32) = 2000\n"
	at := strings.Index(r.conf, "\tinterface {\n\t\tlinknumber: 0") // link 1's last
	first := r.conf[strings.Index(r.conf, "\tinterface {"):at]
	second := r.conf[at:][:strings.Index(r.conf[at:], "}\n")+2]
	r.replace(t, &r.conf, first+second, second+first)
	require.Empty(t, r.findings(t))
	r.replace(t, &r.conf, first, "")
	found := r.findings(t)
	require.Len(t, found, 1, "they are in force, and not in the file any more")
	require.Contains(t, found[0].What, "totem.interface.1.knet_ping_interval")
}

// TestCorosyncThatDoesNotAnswer says so once.
func TestCorosyncThatDoesNotAnswer(t *testing.T) {
	b := bench.New(t)
	c := &Ring{Files: b.Files, Pacemaker: b,
		Keys:  func(context.Context) (corosync.Keys, error) { return nil, corosync.ErrNotRunning },
		Stats: func(context.Context) (corosync.Keys, error) { return nil, nil },
		Votes: func(context.Context) (corosync.Votes, error) { return corosync.Votes{}, nil },
		Timing: func(context.Context) (corosync.Effective, error) {
			return corosync.Effective{}, nil
		}}
	r := doctor.Run(t.Context(), c.Checks())
	require.Len(t, r.Findings, 2)
	require.Equal(t, 1, r.Count(doctor.Unknown))
	require.Equal(t, 1, r.Count(doctor.Error)) // corosync.conf is not there
}
