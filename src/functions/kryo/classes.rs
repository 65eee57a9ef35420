//! The classes of Java that stored values are made of.

/// What is read of the bytes of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `Integer`
    Int,
    /// `String`
    Text,
    /// `Float`
    Float,
    /// `Boolean`
    Bool,
    /// `Byte`
    Byte,
    /// `Character`
    Char,
    /// `Short`
    Short,
    /// `Long`
    Long,
    /// `Double`
    Double,
    /// A collection: elements behind their number.
    Elements(Kind),
    /// `TreeSet`: what sorts it stands before the elements.
    SortedElements,
    /// A map: entries behind their number.
    Entries(Kind),
    /// `TreeMap`: what sorts it stands before the entries.
    SortedEntries,
    /// `Arrays.asList`: the class of the elements stands behind their number.
    AsList,
    /// An empty collection without bytes of its own.
    Empty(Kind),
    /// One element.
    Single(Kind),
    /// A collection behind its number in a list of wrappers.
    Wrapped,
    /// Guava's maps: a `HashMap` of their entries.
    ImmutableMap,
    /// `BigInteger`
    Big,
    /// `BigDecimal`
    Decimal,
    /// `Date`
    Date,
    /// An array of numbers.
    Numbers(Number),
    /// An array of texts.
    Texts,
    /// An array of values.
    Objects,
    /// An array of numbers that may be null.
    Boxed(Number),
    /// Metron's HyperLogLog++.
    Hllp,
    /// stream-lib's HyperLogLog++ within it.
    HyperLogLog,
    /// The registers within that.
    Registers,
    /// Metron's Bloom filter.
    Bloom,
    /// Turns an item of a Bloom filter into bytes.
    Funnel,
    /// How the funnel does that.
    Serializer,
    /// How the bits of an item are found in Guava's Bloom filter.
    Strategy,
    /// Metron's statistics over all values.
    Online,
    /// Metron's statistics over a window.
    Windowed,
    /// Metron's state of an outlier score.
    Outlier,
    /// Metron's sampler.
    Sampler,
    /// Anything else; the place of its name.
    Other(usize),
}

/// What a collection becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `LinkedList`
    Linked,
    /// `ArrayList` and other lists
    Array,
    /// Sets
    Set,
    /// `HashMap`
    Hash,
    /// `LinkedHashMap` and other maps
    Ordered,
}

/// Elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `boolean`
    Bool,
    /// `byte`
    Byte,
    /// `char`
    Char,
    /// `short`
    Short,
    /// `int`
    Int,
    /// `long`
    Long,
    /// `float`
    Float,
    /// `double`
    Double,
}

/// `ArrayList`
pub const ARRAY_LIST: &str = "java.util.ArrayList";
/// `LinkedList`
pub const LINKED_LIST: &str = "java.util.LinkedList";
/// `HashMap`
pub const HASH_MAP: &str = "java.util.HashMap";
/// `LinkedHashMap`
pub const LINKED_HASH_MAP: &str = "java.util.LinkedHashMap";
/// `LinkedHashSet`
pub const LINKED_HASH_SET: &str = "java.util.LinkedHashSet";
/// `BigInteger`
pub const BIG_INTEGER: &str = "java.math.BigInteger";
/// Metron's HyperLogLog++
pub const HLLP: &str = "org.apache.metron.statistics.approximation.HyperLogLogPlus";
/// stream-lib's HyperLogLog++
pub const HYPERLOGLOG: &str = "com.clearspring.analytics.stream.cardinality.HyperLogLogPlus";
/// Its registers
pub const REGISTERS: &str = "com.clearspring.analytics.stream.cardinality.RegisterSet";
/// Metron's Bloom filter
pub const BLOOM: &str = "org.apache.metron.stellar.common.utils.BloomFilter";
/// Its funnel
pub const FUNNEL: &str = "org.apache.metron.stellar.common.utils.BloomFilter$BloomFunnel";
/// The funnel's serialiser
pub const SERIALIZER: &str = "org.apache.metron.stellar.common.utils.SerDeUtils$Serializer";
/// The one strategy in use; its class is that of the second constant of an enumeration
pub const STRATEGY: &str = "com.google.common.hash.BloomFilterStrategies$2";

/// Metron's statistics over all values
pub const ONLINE: &str = "org.apache.metron.statistics.OnlineStatisticsProvider";
/// Metron's statistics over a window
pub const WINDOWED: &str = "org.apache.metron.statistics.WindowedStatisticsProvider";
/// commons-math's statistics within them
pub const DESCRIPTIVE: &str = "org.apache.commons.math3.stat.descriptive.DescriptiveStatistics";
/// commons-math's array within those
pub const DOUBLES: &str = "org.apache.commons.math3.util.ResizableDoubleArray";
/// Metron's state of an outlier score
pub const OUTLIER: &str =
    "org.apache.metron.statistics.outlier.MedianAbsoluteDeviationFunctions$State";
/// Metron's sampler
pub const SAMPLER: &str = "org.apache.metron.statistics.sampling.UniformSampler";
/// Java's random generator
pub const RANDOM: &str = "java.util.Random";
/// What holds its state
pub const ATOMIC_LONG: &str = "java.util.concurrent.atomic.AtomicLong";

/// Classes that are stored by name.
const NAMED: &[(&str, Class)] = &[
    (ARRAY_LIST, Class::Elements(Kind::Array)),
    (LINKED_LIST, Class::Elements(Kind::Linked)),
    (HASH_MAP, Class::Entries(Kind::Hash)),
    (LINKED_HASH_MAP, Class::Entries(Kind::Ordered)),
    (LINKED_HASH_SET, Class::Elements(Kind::Set)),
    (BIG_INTEGER, Class::Big),
    (HLLP, Class::Hllp),
    (HYPERLOGLOG, Class::HyperLogLog),
    (REGISTERS, Class::Registers),
    (BLOOM, Class::Bloom),
    (FUNNEL, Class::Funnel),
    (SERIALIZER, Class::Serializer),
    (
        "org.apache.metron.stellar.common.utils.BloomFilter$DefaultSerializer",
        Class::Serializer,
    ),
    (STRATEGY, Class::Strategy),
    (ONLINE, Class::Online),
    (WINDOWED, Class::Windowed),
    (OUTLIER, Class::Outlier),
    (SAMPLER, Class::Sampler),
    ("java.util.HashSet", Class::Elements(Kind::Set)),
    ("java.util.TreeSet", Class::SortedElements),
    ("java.util.TreeMap", Class::SortedEntries),
    ("java.util.Vector", Class::Elements(Kind::Array)),
    ("java.util.ArrayDeque", Class::Elements(Kind::Array)),
    (
        "java.util.concurrent.CopyOnWriteArrayList",
        Class::Elements(Kind::Array),
    ),
    ("java.util.Hashtable", Class::Entries(Kind::Ordered)),
    (
        "java.util.concurrent.ConcurrentHashMap",
        Class::Entries(Kind::Ordered),
    ),
    ("java.math.BigDecimal", Class::Decimal),
    ("java.util.Date", Class::Date),
    ("java.sql.Timestamp", Class::Date),
    ("[Z", Class::Numbers(Number::Bool)),
    ("[B", Class::Numbers(Number::Byte)),
    ("[C", Class::Numbers(Number::Char)),
    ("[S", Class::Numbers(Number::Short)),
    ("[I", Class::Numbers(Number::Int)),
    ("[J", Class::Numbers(Number::Long)),
    ("[F", Class::Numbers(Number::Float)),
    ("[D", Class::Numbers(Number::Double)),
    ("[Ljava.lang.String;", Class::Texts),
    ("[Ljava.lang.Object;", Class::Objects),
    ("[Ljava.io.Serializable;", Class::Objects),
    ("[Ljava.lang.Number;", Class::Objects),
    ("[Ljava.lang.Comparable;", Class::Objects),
    ("[Ljava.lang.Integer;", Class::Boxed(Number::Int)),
    ("[Ljava.lang.Long;", Class::Boxed(Number::Long)),
    ("[Ljava.lang.Float;", Class::Boxed(Number::Float)),
    ("[Ljava.lang.Double;", Class::Boxed(Number::Double)),
    ("[Ljava.lang.Boolean;", Class::Boxed(Number::Bool)),
];

/// The class of a name; `place` is where the name is kept.
pub fn named(name: &str, place: usize) -> Class {
    NAMED
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(Class::Other(place), |(_, class)| *class)
}

/// The classes that Kryo and Metron number, by the number as stored, which is two higher.
pub fn numbered(number: u32) -> Option<Class> {
    Some(match number {
        0x02 => Class::Int,
        0x03 => Class::Text,
        0x04 => Class::Float,
        0x05 => Class::Bool,
        0x06 => Class::Byte,
        0x07 => Class::Char,
        0x08 => Class::Short,
        0x09 => Class::Long,
        0x0a => Class::Double,
        0x0c => Class::AsList,
        0x0d => Class::Empty(Kind::Array),
        0x0e => Class::Empty(Kind::Ordered),
        0x0f => Class::Empty(Kind::Set),
        0x10 => Class::Single(Kind::Array),
        0x11 => Class::Single(Kind::Set),
        0x12 => Class::Single(Kind::Ordered),
        // Unmodifiable and synchronized collections.
        0x15..=0x22 => Class::Wrapped,
        // Guava's immutable lists, sets and maps.
        0x26..=0x2b => Class::Elements(Kind::Array),
        0x2c..=0x30 => Class::Elements(Kind::Set),
        0x31..=0x35 => Class::ImmutableMap,
        _ => return None,
    })
}
