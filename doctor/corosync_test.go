package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// ring is what a Corosync has said (recorded on three nodes), with encryption on and two links, and what a test makes of it.
type ring struct {
	*bench
	cmap, stats, quorum, conf string
}

func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

func newRing(t *testing.T) *ring {
	t.Helper()
	r := &ring{bench: newBench(t), cmap: recorded(t, "cmap.txt"), stats: recorded(t, "stats.txt"), quorum: recorded(t, "quorumtool.txt"), conf: recorded(t, "corosync.conf")}
	r.crypto("aes256", "sha256")
	for i, second := range []string{"10.133.0.11", "10.133.0.12", "10.133.0.13"} {
		first := strings.Replace(second, "133", "132", 1)
		node := string(rune('0' + i))
		r.replace(t, &r.conf, "ring0_addr: "+first, "ring0_addr: "+first+"\n\t\tring1_addr: "+second)
		r.replace(t, &r.cmap, "nodelist.node."+node+".ring0_addr (str) = "+first, "nodelist.node."+node+".ring0_addr (str) = "+first+"\nnodelist.node."+node+".ring1_addr (str) = "+second)
		id := string(rune('1' + i))
		r.stats += "stats.knet.node" + id + ".link1.connected (u8) = 1\n"
	}
	r.file(t, "/etc/corosync/authkey", "key")
	return r
}

// crypto sets the encryption, in the file and in force.
func (r *ring) crypto(cipher, hash string) {
	r.conf = strings.NewReplacer("crypto_cipher: none", "crypto_cipher: "+cipher, "crypto_hash: none", "crypto_hash: "+hash).Replace(r.conf)
	r.cmap = strings.NewReplacer("crypto_cipher (str) = none", "crypto_cipher (str) = "+cipher, "crypto_hash (str) = none", "crypto_hash (str) = "+hash).Replace(r.cmap)
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
		if !strings.HasPrefix(l, "nodelist.node.2.") && !strings.HasPrefix(l, "runtime.members.3.") {
			r.cmap += l
		}
	}
	r.quorum = strings.NewReplacer("Expected votes:   3", "Expected votes:   2").Replace(r.quorum)
	r.edit(t, `<node id="3" uname="lb-3"/>`, "")
	r.cut(t, `<node_state id="3"`, `</node_state>`)
}

func (r *ring) look(t *testing.T) []Finding {
	t.Helper()
	r.file(t, corosyncConf, r.conf)
	c := &Corosync{
		Files:   r.files,
		Keys:    func(context.Context) (corosync.Keys, error) { return corosync.ParseKeys(r.cmap), nil },
		Stats:   func(context.Context) (corosync.Keys, error) { return corosync.ParseKeys(r.stats), nil },
		Votes:   func(context.Context) (corosync.Votes, error) { return corosync.ParseVotes(r.quorum) },
		Timing:  func(context.Context) (corosync.Effective, error) { return corosync.ParseCmap(r.cmap) },
		Cluster: &Cluster{Pacemaker: r.bench, Files: r.files},
	}
	report := Run(t.Context(), c.Checks())
	return report.Findings
}

func TestHealthyCorosync(t *testing.T) {
	require.Empty(t, newRing(t).look(t))
}

// TestCorosyncChecks provokes each finding by what Corosync's tools would say.
func TestCorosyncChecks(t *testing.T) {
	unfenced := func(t *testing.T, r *ring) {
		r.edit(t, primitiveFence, "")
		r.edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
	}
	for _, c := range []struct {
		name    string
		provoke func(t *testing.T, r *ring)
		check   string
		want    Severity
		says    string
		also    string
	}{
		{"a slow token", func(t *testing.T, r *ring) {
			r.set(t, "totem", "consensus", "9000")
			r.replace(t, &r.cmap, "runtime.config.totem.consensus (u32) = 360", "runtime.config.totem.consensus (u32) = 9000")
		}, "corosync-timing", Note, "on a LAN", ""},
		{"pings that cannot be kept", func(t *testing.T, r *ring) {
			for _, key := range []string{"runtime.config.totem", "totem"} {
				r.replace(t, &r.cmap, key+".interface.0.knet_ping_timeout (u32) = 1000", key+".interface.0.knet_ping_timeout (u32) = 300")
			}
			r.replace(t, &r.conf, "knet_ping_timeout: 1000", "knet_ping_timeout: 300")
		}, "corosync-timing", Warning, "links go down", ""},
		{"no real-time priority", func(t *testing.T, r *ring) {
			r.file(t, "/proc/55/comm", "corosync\n")
			r.file(t, "/proc/55/stat", "55 (corosync) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n")
		}, "corosync-timing", Warning, "real-time", ""},
		{"edited and not reloaded", func(t *testing.T, r *ring) { r.replace(t, &r.conf, "token: 300", "token: 3000") }, "corosync-reloaded", Warning, "totem.token", "corosync-timing"},
		{"a node added and not reloaded", func(t *testing.T, r *ring) {
			r.replace(t, &r.conf, "nodelist {\n", "nodelist {\n\tnode {\n\t\tname: lb-0\n\t\tnodeid: 9\n\t\tring0_addr: 10.132.0.10\n\t}\n")
		}, "corosync-reloaded", Warning, "nodelist", ""},
		{"another transport, not restarted", func(t *testing.T, r *ring) { r.replace(t, &r.conf, "transport: knet", "transport: udpu") }, "corosync-reloaded", Warning, "totem.transport", ""},
		{"a file that cannot be read", func(_ *testing.T, r *ring) { r.conf += "}\n" }, "corosync", Error, "closes nothing", ""},
		{"a key that cannot be looked at", func(t *testing.T, r *ring) {
			require.NoError(t, os.Remove(filepath.Join(r.files, "/etc/corosync/authkey")))
			require.NoError(t, os.Symlink("authkey", filepath.Join(r.files, "/etc/corosync/authkey")))
		}, "corosync-encryption", Unknown, "the key could not be looked at", ""},
		{"no encryption", func(_ *testing.T, r *ring) {
			r.conf = strings.NewReplacer("aes256", "none", "sha256", "none").Replace(r.conf)
			r.cmap = strings.NewReplacer("aes256", "none", "sha256", "none").Replace(r.cmap)
		}, "corosync-encryption", Warning, "neither encrypted nor authenticated", ""},
		{"encrypted only", func(_ *testing.T, r *ring) {
			r.conf = strings.ReplaceAll(r.conf, "crypto_hash: sha256", "crypto_hash: none")
			r.cmap = strings.ReplaceAll(r.cmap, "crypto_hash (str) = sha256", "crypto_hash (str) = none")
		}, "corosync-encryption", Warning, "not authenticated", ""},
		{"a time that the file does not set any more", func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "runtime.config.totem.consensus (u32) = 360", "runtime.config.totem.consensus (u32) = 400")
		}, "corosync-reloaded", Warning, "totem", ""},
		{"the key is readable", func(t *testing.T, r *ring) {
			require.NoError(t, os.Chmod(filepath.Join(r.files, "/etc/corosync/authkey"), 0o644))
		}, "corosync-encryption", Error, "mode 0644", ""},
		{"the key is missing", func(t *testing.T, r *ring) {
			require.NoError(t, os.Remove(filepath.Join(r.files, "/etc/corosync/authkey")))
		}, "corosync-encryption", Error, "is not there", ""},
		{"one link", func(_ *testing.T, r *ring) {
			for _, text := range []*string{&r.conf, &r.cmap} {
				var kept []string
				for _, l := range strings.SplitAfter(*text, "\n") {
					if !strings.Contains(l, "ring1_addr") {
						kept = append(kept, l)
					}
				}
				*text = strings.Join(kept, "")
			}
		}, "corosync-links", Warning, "one link", ""},
		{"a link is down", func(t *testing.T, r *ring) {
			r.replace(t, &r.stats, "stats.knet.node2.link1.connected (u8) = 1", "stats.knet.node2.link1.connected (u8) = 0")
		}, "corosync-links", Error, "link 1 to lb-2 (10.133.0.12)", ""},
		{"a link of which nothing is said", func(t *testing.T, r *ring) {
			r.replace(t, &r.stats, "stats.knet.node2.link1.connected (u8) = 1\n", "")
		}, "corosync-links", Unknown, "link 1 to lb-2 (10.133.0.12)", ""},
		{"udpu", func(t *testing.T, r *ring) {
			r.replace(t, &r.conf, "transport: knet", "transport: udpu")
			r.replace(t, &r.cmap, "totem.transport (str) = knet", "totem.transport (str) = udpu")
		}, "corosync-links", Warning, "the transport is udpu", "corosync-encryption"},
		{"a node that Corosync has not", func(t *testing.T, r *ring) {
			r.edit(t, `<node id="3" uname="lb-3"/>`, `<node id="3" uname="lb-3"/><node id="4" uname="old-lb"/>`)
			r.edit(t, `<status>`, `<status><node_state id="4" uname="old-lb" in_ccm="false" crmd="offline" join="down" expected="down"/>`)
		}, "corosync-nodes", Warning, "old-lb is a node of Pacemaker's", ""},
		{"a node that Pacemaker has not", func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3", "nodelist.node.2.name (str) = lb-three")
			r.replace(t, &r.conf, "name: lb-3", "name: lb-three")
		}, "corosync-nodes", Warning, "lb-", ""},
		{"nodes without names", func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "nodelist.node.2.name (str) = lb-3\n", "")
			r.replace(t, &r.conf, "\t\tname: lb-3\n", "")
		}, "corosync-nodes", Warning, "have no name", ""},
		{"two nodes without fencing", func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			unfenced(t, r)
		}, "corosync-quorum", Warning, "only the providers", ""},
		{"two nodes without fencing, on a LAN", func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			unfenced(t, r)
			r.edit(t, `name="provider" value="digitalocean"`, `name="provider" value="lan"`)
		}, "corosync-quorum", Error, "both take FloatIP", ""},
		{"two nodes, wait_for_all off", func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			r.set(t, "quorum", "wait_for_all", "0")
		}, "corosync-quorum", Warning, "wait_for_all is off", ""},
		{"two nodes, no two_node", func(t *testing.T, r *ring) { r.twoNodes(t) }, "corosync-quorum", Error, "no failover at all", ""},
		{"two_node of three", func(t *testing.T, r *ring) { r.set(t, "quorum", "two_node", "1") }, "corosync-quorum", Error, "cluster of 3 nodes", ""},
		{"two nodes and sbd", func(t *testing.T, r *ring) {
			r.twoNodes(t)
			r.set(t, "quorum", "two_node", "1")
			r.file(t, "/proc/77/comm", "sbd\n")
		}, "corosync-quorum", Error, "neither watchdog fires", ""},
		{"the device is not connected", func(t *testing.T, r *ring) {
			r.replace(t, &r.conf, "quorum {\n", "quorum {\n\tdevice {\n\t\tmodel: net\n\t\tnet {\n\t\t\thost: qnetd.example\n\t\t}\n\t}\n")
			r.cmap += "quorum.device.model (str) = net\nquorum.device.net.host (str) = qnetd.example\n"
		}, "corosync-quorum", Error, "net at qnetd.example", ""},
		{"votes that are expected", func(t *testing.T, r *ring) {
			r.set(t, "quorum", "expected_votes", "5")
			r.replace(t, &r.quorum, "Expected votes:   3", "Expected votes:   5")
		}, "corosync-quorum", Warning, "expects 5 votes, and the nodes have 3", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRing(t)
			c.provoke(t, r)
			all := r.look(t)
			var found []Finding
			for _, f := range all {
				if f.Check == c.check {
					found = append(found, f)
				} else {
					require.Equal(t, c.also, f.Check, "%+v", f)
				}
			}
			require.NotEmpty(t, found, "%+v", all)
			require.Equal(t, c.want, found[0].Severity, "%+v", found)
			require.Contains(t, found[0].What+"\n"+found[0].Why, c.says)
			for _, f := range found {
				require.NotEmpty(t, f.Why)
				require.NotEmpty(t, f.Fix)
			}
		})
	}
}

// TestConnectedDevice finds nothing in two nodes with a quorum device that votes.
func TestConnectedDevice(t *testing.T) {
	r := newRing(t)
	r.twoNodes(t)
	r.replace(t, &r.conf, "quorum {\n", "quorum {\n\tdevice {\n\t\tmodel: net\n\t\tvotes: 1\n\t}\n")
	r.cmap += "quorum.device.model (str) = net\nquorum.device.votes (str) = 1\n"
	r.quorum = `Quorate:          Yes
Expected votes:   3
Total votes:      3
Quorum:           2
Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW lb-1 (local)
         2          1    A,V,NMW lb-2
         0          1            Qdevice
`
	require.Empty(t, r.look(t))
}

// TestPingsOfTwoLinks takes links that have different pings for what they are.
func TestPingsOfTwoLinks(t *testing.T) {
	r := newRing(t)
	r.replace(t, &r.conf, "\tinterface {\n", "\tinterface {\n\t\tlinknumber: 1\n\t\tknet_ping_interval: 400\n\t\tknet_ping_timeout: 2000\n\t}\n\tinterface {\n")
	r.cmap += "totem.interface.1.knet_ping_interval (u32) = 400\ntotem.interface.1.knet_ping_timeout (u32) = 2000\n"
	at := strings.Index(r.conf, "\tinterface {\n\t\tlinknumber: 0") // link 1's last
	first := r.conf[strings.Index(r.conf, "\tinterface {"):at]
	second := r.conf[at:][:strings.Index(r.conf[at:], "}\n")+2]
	r.replace(t, &r.conf, first+second, second+first)
	require.Empty(t, r.look(t))
	r.replace(t, &r.conf, first, "")
	found := r.look(t)
	require.Len(t, found, 1, "they are in force, and not in the file any more")
	require.Contains(t, found[0].What, "totem.interface.1.knet_ping_interval")
}

// TestCorosyncThatDoesNotAnswer says so once.
func TestCorosyncThatDoesNotAnswer(t *testing.T) {
	b := newBench(t)
	c := &Corosync{Files: b.files, Cluster: &Cluster{Pacemaker: b, Files: b.files},
		Keys:  func(context.Context) (corosync.Keys, error) { return nil, corosync.ErrNotRunning },
		Stats: func(context.Context) (corosync.Keys, error) { return nil, nil }, Votes: func(context.Context) (corosync.Votes, error) { return corosync.Votes{}, nil },
		Timing: func(context.Context) (corosync.Effective, error) { return corosync.Effective{}, nil }}
	r := Run(t.Context(), c.Checks())
	require.Len(t, r.Findings, 2)
	require.Equal(t, 1, r.Count(Unknown))
	require.Equal(t, 1, r.Count(Error)) // corosync.conf is not there
}
