package contract

// SearchPath is the PATH of HAProxy: its configuration may start programs (external-check, Lua).
const SearchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// PacemakerPath is the PATH that Pacemaker's daemons have, and with them the agents.
const PacemakerPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

// Variables of HAProxy's environment, which its configuration may mention: the node as the cluster
// knows it, the site it is in, and addresses of this node.
const (
	NodeVariable      = "HAWSER_NODE"
	SiteVariable      = "HAWSER_SITE"
	AnchorIPVariable  = "HAWSER_ANCHOR_IP"
	PrivateIPVariable = "HAWSER_PRIVATE_IP"
)
