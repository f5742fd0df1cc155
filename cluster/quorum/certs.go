package quorum

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/cluster/machines"
)

// Files of certificates.
const (
	caFile   = machines.NodeDir + "/qnetd-cacert.crt"
	p12File  = machines.NodeDB + "/qdevice-net-node.p12"
	request  = machines.NodeDB + "/qdevice-net-node.crq"
	certutil = "corosync-qdevice-net-certutil"
	aptHint  = "the tools are certutil and pk12util of libnss3-tools (nss-tools)"
)

// certified says whether a node has what it needs to be known to corosync-qnetd: the server's CA,
// and a certificate of the cluster's name that the CA has signed, with its key.
func certified(n machines.Node, ca *x509.Certificate, cluster string) bool {
	return ca != nil && n.CA != nil && n.Cert != nil && n.HasKey &&
		bytes.Equal(n.CA.Raw, ca.Raw) && n.Cert.Subject.CommonName == cluster &&
		n.Cert.CheckSignatureFrom(ca) == nil && time.Now().Before(n.Cert.NotAfter)
}

// complete says the same of a node alone, whose server is not asked.
func complete(n machines.Node, cluster string) bool {
	return n.Assumed || certified(n, n.CA, cluster)
}

// certificates are the steps that give every node its certificates. Those that a node has already
// stay as they are.
func certificates(c machines.Cluster, s Server) []machines.Step {
	name := machines.Quote(c.Name)
	var without []machines.Node
	var source *machines.Node
	for i, n := range c.Nodes {
		if !certified(n, s.CA, c.Name) {
			without = append(without, n)
		} else if n.HasP12 && source == nil {
			source = &c.Nodes[i]
		}
	}
	if len(without) == 0 {
		return nil
	}
	var steps []machines.Step
	if s.CA == nil {
		steps = append(steps, machines.Step{
			On: s.Host, Does: "make the CA of corosync-qnetd",
			Line: "corosync-qnetd-certutil -i && systemctl enable --now corosync-qnetd",
			Fix:  aptHint,
		})
	}
	ca := &machines.Text{Name: "qnetd-cacert.crt"}
	steps = append(steps, machines.Step{
		On: s.Host, Does: "print the certificate of its CA",
		Line: fmt.Sprintf("certutil -L -d %s -n '%s' -a", serverDB, machines.CANickname), Output: ca,
		Fix: aptHint,
	})
	for _, n := range without {
		steps = append(steps, accept(n.Name, ca))
	}
	both := &machines.Text{Name: "qdevice-net-node.p12", Secret: true}
	var first string
	if source == nil {
		first = without[0].Name
		steps = append(steps, newCertificate(first, s.Host, name)...)
	} else {
		first = source.Name
	}
	if source != nil || len(without) > 1 {
		steps = append(steps, machines.Step{
			On: first, Does: "hand out the cluster's certificate with its key",
			Line: "cat " + p12File, Output: both,
		})
	}
	for _, n := range without {
		if n.Name != first {
			steps = append(steps, take(n.Name, both))
		}
	}
	return steps
}

// accept has a node trust a CA, and forget what it had before.
func accept(node string, ca *machines.Text) machines.Step {
	return machines.Step{
		On: node, Does: "trust this CA, in a new database of certificates",
		Input: ca, Into: caFile, Mode: "0644",
		Line: fmt.Sprintf("rm -rf %s && %s -i -c %s", machines.NodeDB, certutil, caFile),
		Fix:  aptHint,
	}
}

// newCertificate has a node ask for the cluster's certificate, and the server sign it.
func newCertificate(node, host, name string) []machines.Step {
	asked := &machines.Text{Name: "qdevice-net-node.crq"}
	signed := &machines.Text{Name: "cluster.crt"}
	const there = "/root/hawser-qdevice.crq"
	return []machines.Step{
		{
			On: node, Does: "ask for the cluster's certificate",
			Line:   fmt.Sprintf("(umask 077; %s -r -n %s >&2) && cat %s", certutil, name, request),
			Output: asked, Fix: aptHint,
		},
		{
			On: host, Does: "sign it", Input: asked, Into: there, Mode: "0600",
			Line: fmt.Sprintf("corosync-qnetd-certutil -s -c %s -n %s >&2 && rm -f %[1]s && "+
				"cat %[3]s/cluster-%[2]s.crt", there, name, serverDB),
			Output: signed, Fix: aptHint,
		},
		{
			On: node, Does: "take the signed certificate", Input: signed,
			Into: machines.NodeDir + "/cluster.crt", Mode: "0644",
			Line: fmt.Sprintf("(umask 077; %s -M -c %s/cluster.crt)", certutil, machines.NodeDir),
			Fix:  aptHint,
		},
	}
}

// take has a node take the cluster's certificate with its key.
func take(node string, both *machines.Text) machines.Step {
	return machines.Step{
		On: node, Does: "take the cluster's certificate with its key",
		Input: both, Into: p12File, Mode: "0600",
		Line: certutil + " -m -c " + p12File,
		Fix:  aptHint,
	}
}

// ForNode are the steps that give a node the certificates that another node has.
func ForNode(c machines.Cluster, node string) ([]machines.Step, error) {
	for _, n := range c.Nodes {
		if n.Name == node || !complete(n, c.Name) || !n.HasP12 {
			continue
		}
		ca := &machines.Text{Name: "qnetd-cacert.crt"}
		both := &machines.Text{Name: "qdevice-net-node.p12", Secret: true}
		return []machines.Step{
			{
				On: n.Name, Does: "print the certificate of corosync-qnetd's CA",
				Line:   fmt.Sprintf("certutil -L -d %s -n '%s' -a", machines.NodeDB, machines.CANickname),
				Output: ca, Fix: aptHint,
			},
			accept(node, ca),
			{
				On: n.Name, Does: "hand out the cluster's certificate with its key",
				Line: "cat " + p12File, Output: both,
			},
			take(node, both),
		}, nil
	}
	return nil, refuse("no node has the quorum device's certificates whole: `hawser quorum status` says " +
		"what is missing, and `hawser quorum device add HOST` with the same HOST makes it")
}

// Certified says whether a node has the certificates that it needs.
func Certified(n machines.Node, cluster string) bool { return complete(n, cluster) }
