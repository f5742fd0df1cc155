package corosync

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
)

// checkEncryption looks at how messages between the nodes are protected.
func checkEncryption(v *view) []doctor.Finding {
	cipher, hash := v.keys["totem.crypto_cipher"], v.keys["totem.crypto_hash"]
	transport := v.transport()
	secauth := slices.Contains([]string{"on", "yes"}, v.keys["totem.secauth"])
	if (cipher == "" || cipher == "none") && !secauth || transport != "knet" {
		f := doctor.Finding{Severity: doctor.Warning, Subject: "crypto_cipher", What: "Corosync's messages are neither encrypted nor authenticated (crypto_cipher: none)",
			Why: "whoever reaches the nodes' network can join the cluster, read the tokens of its resources and run commands as root on its nodes",
			Fix: []string{"corosync-keygen    # on one node; then copy /etc/corosync/authkey to the others, mode 0400",
				`sed -i '/^[[:space:]]*\(crypto_cipher\|crypto_hash\|secauth\):/d; s/^\([[:space:]]*\)totem[[:space:]]*{/&\n\tcrypto_cipher: aes256\n\tcrypto_hash: sha256/' ` + confFile + "    # on every node", "corosync-cfgtool -R    # on one"}}
		if transport != "knet" {
			f.Subject, f.What = "transport", "Corosync's messages go by the transport "+transport+", which knows no encryption"
			f.Fix = []string{"sed -i 's/transport: " + transport + "/transport: knet/' " + confFile + "    # on every node; then encryption, and a restart of all of them at once"}
		}
		return []doctor.Finding{f}
	}
	if hash == "none" && !secauth {
		return []doctor.Finding{{Severity: doctor.Warning, Subject: "crypto_hash", What: "Corosync's messages are encrypted and not authenticated (crypto_hash: none)", Why: "they can be forged by whoever reaches the nodes' network",
			Fix: []string{"sed -i 's/crypto_hash: none/crypto_hash: sha256/' " + confFile + "    # on every node", "corosync-cfgtool -R    # on one"}}}
	}
	return doctor.At(v.Node, v.checkKey())
}

func (v *view) transport() string {
	if t := v.keys["totem.transport"]; t != "" {
		return t
	}
	return "knet"
}

// checkKey looks at the file with the key.
func (v *view) checkKey() []doctor.Finding {
	path := "/etc/corosync/authkey"
	if file := v.keys["totem.keyfile"]; file != "" {
		path = file
	}
	info, err := os.Stat(filepath.Join("/", v.Files, path))
	switch {
	case os.IsNotExist(err) && v.keys["totem.key"] == "":
		return []doctor.Finding{{Severity: doctor.Error, Subject: path, What: "encryption is on, and the key " + path + " is not there",
			Why: "Corosync does not start again without it", Fix: []string{"scp -p OTHER-NODE:" + path + " " + path}}}
	case os.IsNotExist(err):
		return nil // the key stands in corosync.conf
	case err != nil:
		return []doctor.Finding{{Severity: doctor.Unknown, Subject: path, What: "the key could not be looked at: " + err.Error(), Why: "whoever can read it can take part in the cluster", Fix: []string{"ls -l " + path}}}
	case info.Mode().Perm()&0o077 != 0:
		return []doctor.Finding{{Severity: doctor.Error, Subject: path, What: fmt.Sprintf("%s has the mode %04o", path, info.Mode().Perm()),
			Why: "whoever can log in to this node can read it, and with it take part in the cluster", Fix: []string{"chmod 0400 " + path}}}
	}
	return nil
}

// checkLinks looks at the links between the nodes.
func checkLinks(v *view) []doctor.Finding {
	var found []doctor.Finding
	members := v.keys.Members()
	links := 0
	for _, m := range members {
		links = max(links, len(m.Addresses))
	}
	if t := v.transport(); t != "knet" {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Subject: "transport", What: "the transport is " + t, Why: "it has one link only, and Corosync 3 develops only knet further",
			Fix: []string{"sed -i 's/transport: " + t + "/transport: knet/' " + confFile + "    # on every node, with all of them stopped"}})
	} else if links == 1 && len(members) > 1 {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Subject: "ring1_addr", What: "the nodes have one link to each other only",
			Why: "a single cable, switch or network that fails splits the cluster",
			Fix: []string{"# where the nodes have a second network: a line `ring1_addr: ADDRESS` for each node in the nodelist of " + confFile + ", on every node", "corosync-cfgtool -R    # on one"}})
	}
	var down, silent []string
	for _, m := range members {
		if m.ID == v.self() || v.keys["runtime.members."+m.ID+".status"] != "joined" {
			continue
		}
		for link := range len(m.Addresses) {
			name := fmt.Sprintf("link %d to %s (%s)", link, nameOf(m), m.Addresses[link])
			switch connected, said := v.stats[fmt.Sprintf("stats.knet.node%s.link%d.connected", m.ID, link)]; {
			case connected == "0":
				down = append(down, name)
			case !said && v.transport() == "knet":
				silent = append(silent, name)
			}
		}
	}
	if len(down) > 0 {
		found = append(found, doctor.Finding{Severity: doctor.Error, Node: v.Node, Subject: "links", What: "down: " + strings.Join(down, ", "), Why: "the nodes still see each other by another link: the next failure splits the cluster",
			Fix: []string{"corosync-cfgtool -s", "ip -brief address    # is the address there, is the interface up? then ping the others' from it, and see the firewall"}})
	}
	if len(silent) > 0 {
		found = append(found, doctor.Finding{Severity: doctor.Unknown, Node: v.Node, Subject: "links", What: "Corosync does not say of these whether they are up: " + strings.Join(silent, ", "),
			Why: "a link that is down leaves the nodes with one less", Fix: []string{"corosync-cfgtool -s"}})
	}
	return found
}

// checkNames compares the nodes that Corosync knows with Pacemaker's.
func checkNames(v *view) []doctor.Finding {
	if v.above == nil {
		return nil // that Pacemaker does not answer is said elsewhere
	}
	members := map[string]bool{}
	for _, m := range v.keys.Members() {
		if m.Name == "" {
			return []doctor.Finding{{Severity: doctor.Warning, Subject: "nodelist", What: "nodes in " + confFile + " have no name",
				Why: "Pacemaker takes each node's host name for it: a node that is renamed becomes another one to the cluster",
				Fix: []string{"# a line `name: NAME` for each node in the nodelist of " + confFile + ", the names that `crm_node --list` has, on every node", "corosync-cfgtool -R    # on one"}}}
		}
		members[m.Name] = true
	}
	if len(members) == 0 {
		return nil // found by multicast
	}
	var only, missing []string
	known := map[string]bool{}
	for _, n := range v.above.Status.Nodes {
		if n.Type != "member" && n.Type != "" {
			continue // remote nodes have no Corosync
		}
		known[n.Name] = true
		if !members[n.Name] {
			only = append(only, n.Name)
		}
	}
	for name := range members {
		if !known[name] {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	var found []doctor.Finding
	for _, name := range only {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Node: name, Subject: name, What: name + " is a node of Pacemaker's that Corosync does not have",
			Why: "it was removed or renamed: Pacemaker shows it as lost, may want to fence it, and counts it in what it places", Fix: []string{"crm_node --force --remove " + doctor.Quote(name)}})
	}
	if len(missing) > 0 {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Subject: "nodelist", What: "nodes of Corosync's that Pacemaker has not seen yet: " + strings.Join(missing, ", "),
			Why: "nothing can run on them; or they have another name there than in " + confFile, Fix: []string{"systemctl start corosync pacemaker    # on " + strings.Join(missing, ", "), "crm_node --list"}})
	}
	return found
}
