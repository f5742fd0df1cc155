package crm

import "github.com/beevik/etree"

// elementWords are crmsh's names for the elements that the package keeps as XML and crmsh has a statement
// for. Those without a printer are printed as xml.
var elementWords = map[string]string{
	"template": "rsc_template", "rsc_ticket": "rsc_ticket",
	"fencing-topology": "fencing_topology", "bundle": "bundle", "master": "ms",
	"acl_role": "role", "acl_target": "acl_target", "acl_group": "acl_group", "alert": "alert",
}

// printers make the statements of elements.
var printers = map[string]func(*etree.Element) *text{
	"template": templateText, "rsc_ticket": ticketText, "fencing-topology": topologyText,
	"acl_role": roleText, "acl_target": holderText, "acl_group": holderText, "alert": alertText,
}

func templateText(el *etree.Element) *text {
	return primitiveText("rsc_template", decodePrimitive(el))
}

func ticketText(el *etree.Element) *text {
	resources, ok := qualify(value(el, "rsc"), value(el, "rsc-role")), true
	if sets := decodeSets(el); len(sets) > 0 {
		resources, ok = setsText(sets, "role", false)
	}
	t := head("rsc_ticket", value(el, "id"), value(el, "ticket")+":", resources,
		tail("loss-policy", value(el, "loss-policy")))
	t.ok = ok
	return t
}
