//! Names of IP's protocols.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, required};
use crate::eval::Value;
use crate::eval::convert::to_int;

pub(super) const PROTOCOL_TO_NAME: FunctionSpec = FunctionSpec {
    name: "PROTOCOL_TO_NAME",
    family: Family::Network,
    summary: "Names the protocol that a number stands for in IP headers.",
    details: "Numbers and names are IANA's. The number may come as text; a fraction is cut, a list stands for its first element.",
    parameters: &[required("number", Kind::Any, "the number, 0 to 255")],
    returns: "the name; what came in when there is none",
    examples: &[
        example("PROTOCOL_TO_NAME(6)", "TCP"),
        example("PROTOCOL_TO_NAME('17')", "UDP"),
        example("PROTOCOL_TO_NAME(255)", "255"),
        example("PROTOCOL_TO_NAME(null)", "null"),
    ],
    see: &["URL_TO_PORT", "IN_SUBNET"],
    words: &["TCP", "UDP", "ICMP", "IANA", "NetFlow"],
    borrows: false,
    run: |call| {
        let name = to_int(call.arg(0))
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| NAMES.get(number).copied().flatten());
        Ok(match name {
            Some(name) => Value::text(name),
            None => call.take(0),
        })
    },
    ..SPEC
};

/// The names by number, as Metron has them; 88 is empty there.
#[rustfmt::skip]
const NAMES: &[Option<&str>] = &[
    None, Some("ICMP"), Some("IGMP"), Some("GGP"), Some("IP-in-IP"), Some("ST"), Some("TCP"), Some("CBT"),
    Some("EGP"), Some("IGP"), Some("BBN-RCC-MON"), Some("NVP-II"), Some("PUP"), Some("ARGUS"), Some("EMCON"),
    Some("XNET"), Some("CHAOS"), Some("UDP"), Some("MUX"), Some("DCN-MEAS"), Some("HMP"), Some("PRM"),
    Some("XNS-IDP"), Some("TRUNK-1"), Some("TRUNK-2"), Some("LEAF-1"), Some("LEAF-2"), Some("RDP"),
    Some("IRTP"), Some("ISO-TP4"), Some("NETBLT"), Some("MFE-NSP"), Some("MERIT-INP"), Some("DCCP"),
    Some("3PC"), Some("IDPR"), Some("XTP"), Some("DDP"), Some("IDPR-CMTP"), Some("TP++"), Some("IL"),
    Some("IPv6"), Some("SDRP"), Some("IPv6-Route"), Some("IPv6-Frag"), Some("IDRP"), Some("RSVP"), Some("GRE"),
    Some("MHRP"), Some("BNA"), Some("ESP"), Some("AH"), Some("I-NLSP"), Some("SWIPE"), Some("NARP"),
    Some("MOBILE"), Some("TLSP"), Some("SKIP"), Some("IPv6-ICMP"), Some("IPv6-NoNxt"), Some("IPv6-Opts"), None,
    Some("CFTP"), None, Some("SAT-EXPAK"), Some("KRYPTOLAN"), Some("RVD"), Some("IPPC"), Some("SAT-MON"), None,
    Some("VISA"), Some("IPCU"), Some("CPNX"), Some("CPHB"), Some("WSN"), Some("PVP"), Some("BR-SAT-MON"),
    Some("SUN-ND"), Some("WB-MON"), Some("WB-EXPAK"), Some("ISO-IP"), Some("VMTP"), Some("SECURE-VMTP"),
    Some("VINES"), Some("TTP"), Some("NSFNET-IGP"), Some("DGP"), Some("TCF"), Some(""), Some("OSPF"),
    Some("Sprite-RP"), Some("LARP"), Some("MTP"), Some("AX.25"), Some("IPIP"), Some("MICP"), Some("SCC-SP"),
    Some("ETHERIP"), Some("ENCAP"), None, Some("GMTP"), Some("IFMP"), Some("PNNI"), Some("PIM"), Some("ARIS"),
    Some("SCPS"), Some("QNX"), Some("A/N"), Some("IPComp"), Some("SNP"), Some("Compaq-Peer"), Some("IPX-in-IP"),
    Some("VRRP"), Some("PGM"), None, Some("L2TP"), Some("DDX"), Some("IATP"), Some("STP"), Some("SRP"),
    Some("UTI"), Some("SMP"), Some("SM"), Some("PTP"), Some("IS-IS"), Some("FIRE"), Some("CRTP"), Some("CRUDP"),
    Some("SSCOPMCE"), Some("IPLT"), Some("SPS"), Some("PIPE"), Some("SCTP"), Some("FC"),
    Some("RSVP-E2E-IGNORE"), Some("Mobility Header"), Some("UDPLite"), Some("MPLS-in-IP"), Some("manet"),
    Some("HIP"), Some("Shim6"), Some("WESP"), Some("ROHC"),
];
