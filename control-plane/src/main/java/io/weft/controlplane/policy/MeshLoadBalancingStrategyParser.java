package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshLoadBalancingStrategy.AffinityTag;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.CrossZone;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.Failover;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashFunction;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashPolicy;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashSource;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LoadBalancer;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LocalityAwareness;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads what a {@code MeshLoadBalancingStrategy} says, with Kuma's own checks and Envoy's limits. */
final class MeshLoadBalancingStrategyParser {

    private static final int MAX_RING = 8_388_608;
    private static final int DEFAULT_MIN_RING = 1024;
    private static final int MAX_TABLE = 5_000_011;
    private static final int MAX_WEIGHT = 1_000_000;
    private static final BigDecimal MAX_BIAS = BigDecimal.valueOf(1_000);

    static MeshLoadBalancingStrategy read(Fields conf, PolicyKind.Place place) {
        Optional<Value> balancer = conf.get("loadBalancer");
        Optional<Value> locality = conf.get("localityAwareness");
        Optional<Value> hashes = conf.get("hashPolicies");
        if (place.route()) {
            String reason = "cannot be set for a MeshHTTPRoute: only hashPolicies are a route's; set it for the service";
            balancer.ifPresent(value -> value.refuse(reason));
            locality.ifPresent(value -> value.refuse(reason));
        }
        Optional<List<HashPolicy>> policies = hashes.map(MeshLoadBalancingStrategyParser::hashPolicies);
        Optional<LoadBalancer> chosen = Optional.empty();
        if (balancer.isPresent()) {
            Fields fields = balancer.get().fields();
            Optional<Value> older = olderHashPolicies(fields);
            if (older.isPresent()) {
                hashes.ifPresent(value -> older.get().refuse("and hashPolicies beside loadBalancer exclude each other; keep the latter"));
                // What stands beside the load balancer counts first, in Kuma too.
                policies = policies.or(() -> older.map(MeshLoadBalancingStrategyParser::hashPolicies));
            }
            chosen = Optional.of(loadBalancer(fields));
        }
        return new MeshLoadBalancingStrategy(chosen, policies, locality.map(value -> locality(value.fields())));
    }

    /** They stood in the load balancer's own section before Kuma 2.12. */
    private static Optional<Value> olderHashPolicies(Fields balancer) {
        String section = switch (balancer.require("type").text()) {
            case "RingHash" -> "ringHash";
            case "Maglev" -> "maglev";
            default -> "";
        };
        return balancer.get(section)
                .filter(value -> value.node() instanceof Node.Mapping)
                .flatMap(value -> value.fields().get("hashPolicies"));
    }

    private static LoadBalancer loadBalancer(Fields fields) {
        String type = fields.require("type")
                .choice(ResourceParser.words("RoundRobin", "LeastRequest", "RingHash", "Random", "Maglev"));
        LoadBalancer balancer = switch (type) {
            case "LeastRequest" -> fields.get("leastRequest").map(value -> leastRequest(value.fields()))
                    .orElse(new MeshLoadBalancingStrategy.LeastRequest(OptionalInt.empty(), Optional.empty()));
            case "RingHash" -> fields.get("ringHash").map(value -> ringHash(value.fields()))
                    .orElse(new MeshLoadBalancingStrategy.RingHash(Optional.empty(), OptionalInt.empty(), OptionalInt.empty()));
            case "Maglev" -> fields.get("maglev").map(value -> maglev(value.fields()))
                    .orElse(new MeshLoadBalancingStrategy.Maglev(OptionalInt.empty()));
            case "Random" -> new MeshLoadBalancingStrategy.Random();
            default -> new MeshLoadBalancingStrategy.RoundRobin();
        };
        // The type decides which of them counts.
        fields.accept("roundRobin", "leastRequest", "ringHash", "random", "maglev");
        fields.end();
        return balancer;
    }

    private static LoadBalancer leastRequest(Fields fields) {
        LoadBalancer balancer = new MeshLoadBalancingStrategy.LeastRequest(
                fields.count("choiceCount", 2, 1_000),
                fields.get("activeRequestBias").map(value -> value.decimal(BigDecimal.ZERO, MAX_BIAS)));
        fields.end();
        return balancer;
    }

    private static LoadBalancer ringHash(Fields fields) {
        Map<String, HashFunction> functions = new LinkedHashMap<>();
        functions.put("XXHash", HashFunction.XX_HASH);
        functions.put("MurmurHash2", HashFunction.MURMUR_HASH_2);
        OptionalInt minimum = fields.count("minRingSize", 1, MAX_RING);
        OptionalInt maximum = fields.count("maxRingSize", 1, MAX_RING);
        if (maximum.orElse(MAX_RING) < minimum.orElse(DEFAULT_MIN_RING)) {
            fields.refuse("maxRingSize", "must not be below minRingSize, which is " + minimum.orElse(DEFAULT_MIN_RING));
        }
        LoadBalancer balancer = new MeshLoadBalancingStrategy.RingHash(
                fields.get("hashFunction").map(value -> value.choice(functions)), minimum, maximum);
        fields.accept("hashPolicies");
        fields.end();
        return balancer;
    }

    private static LoadBalancer maglev(Fields fields) {
        OptionalInt size = fields.count("tableSize", 1, MAX_TABLE);
        if (size.isPresent() && !BigInteger.valueOf(size.getAsInt()).isProbablePrime(50)) {
            fields.refuse("tableSize", "must be a prime number, such as 65537");
        }
        fields.accept("hashPolicies");
        fields.end();
        return new MeshLoadBalancingStrategy.Maglev(size);
    }

    private static List<HashPolicy> hashPolicies(Value value) {
        List<HashPolicy> policies = new ArrayList<>();
        for (Value item : value.items()) {
            Fields fields = item.fields();
            String type = fields.require("type").choice(ResourceParser.words(
                    "Header", "Cookie", "Connection", "SourceIP", "QueryParameter", "FilterState"));
            HashSource source = switch (type) {
                case "Header" ->
                    new MeshLoadBalancingStrategy.Header(MeshHttpRouteParser.headerName(name(fields, "header", "name")));
                case "Cookie" -> cookie(fields.require("cookie").fields());
                case "QueryParameter" ->
                    new MeshLoadBalancingStrategy.QueryParameter(name(fields, "queryParameter", "name").nonEmptyText());
                case "FilterState" ->
                    new MeshLoadBalancingStrategy.FilterState(name(fields, "filterState", "key").nonEmptyText());
                default -> connection(fields.require("connection").fields());
            };
            Optional<Boolean> terminal = fields.get("terminal").map(Value::bool);
            // The type decides which of them counts.
            fields.accept("header", "cookie", "connection", "queryParameter", "filterState");
            fields.end();
            policies.add(new HashPolicy(source, terminal));
        }
        return policies;
    }

    private static Value name(Fields policy, String section, String name) {
        Fields fields = policy.require(section).fields();
        Value value = fields.require(name);
        fields.end();
        return value;
    }

    private static HashSource connection(Fields fields) {
        HashSource source =
                new MeshLoadBalancingStrategy.SourceAddress(fields.get("sourceIP").map(Value::bool).orElse(false));
        fields.end();
        return source;
    }

    private static HashSource cookie(Fields fields) {
        HashSource cookie = new MeshLoadBalancingStrategy.Cookie(
                fields.require("name").nonEmptyText(),
                fields.get("ttl").map(Value::duration),
                fields.get("path").map(MeshHttpRouteParser::absolutePath));
        fields.end();
        return cookie;
    }

    private static LocalityAwareness locality(Fields fields) {
        LocalityAwareness locality = new LocalityAwareness(
                fields.get("disabled").map(Value::bool).orElse(false),
                fields.get("localZone").map(value -> affinity(value.fields())),
                fields.get("crossZone").map(value -> crossZone(value.fields())));
        fields.end();
        return locality;
    }

    private static List<AffinityTag> affinity(Fields fields) {
        List<AffinityTag> tags = new ArrayList<>();
        for (Value item : fields.items("affinityTags")) {
            Fields tag = item.fields();
            tags.add(new AffinityTag(tag.require("key").nonEmptyText(), tag.count("weight", 1, MAX_WEIGHT)));
            tag.end();
        }
        long weighted = tags.stream().filter(tag -> tag.weight().isPresent()).count();
        if (weighted > 0 && weighted < tags.size()) {
            fields.refuse("affinityTags", "must have a weight each, or none at all");
        }
        fields.end();
        return tags;
    }

    private static CrossZone crossZone(Fields fields) {
        List<Failover> failover = new ArrayList<>();
        for (Value item : fields.items("failover")) {
            failover.add(failover(item.fields()));
        }
        Optional<BigDecimal> threshold = fields.get("failoverThreshold").map(value -> {
            Fields section = value.fields();
            BigDecimal percentage = section.require("percentage").decimalAbove(BigDecimal.ZERO, BigDecimal.valueOf(100));
            section.end();
            return percentage;
        });
        fields.end();
        return new CrossZone(failover, threshold);
    }

    private static Failover failover(Fields fields) {
        Map<String, Failover.Choice> choices = new LinkedHashMap<>();
        choices.put("None", Failover.Choice.NONE);
        choices.put("Only", Failover.Choice.ONLY);
        choices.put("Any", Failover.Choice.ANY);
        choices.put("AnyExcept", Failover.Choice.ANY_EXCEPT);
        Optional<Set<String>> from = fields.get("from").map(value -> {
            Fields section = value.fields();
            Set<String> zones = zones(section);
            if (zones.isEmpty()) {
                section.refuse("zones", "needs at least one zone; leave out from for all of them");
            }
            section.end();
            return zones;
        });
        Fields to = fields.require("to").fields();
        Failover.Choice choice = to.require("type").choice(choices);
        Set<String> zones = zones(to);
        boolean named = choice == Failover.Choice.ONLY || choice == Failover.Choice.ANY_EXCEPT;
        if (named && zones.isEmpty()) {
            to.refuse("zones", "needs at least one zone with type Only or AnyExcept");
        }
        if (!named && !zones.isEmpty()) {
            to.refuse("zones", "has no meaning with type Any or None; remove it");
        }
        to.end();
        fields.end();
        return new Failover(from, choice, zones);
    }

    private static Set<String> zones(Fields fields) {
        Set<String> zones = new LinkedHashSet<>();
        for (Value item : fields.items("zones")) {
            zones.add(item.nonEmptyText());
        }
        return zones;
    }

    private MeshLoadBalancingStrategyParser() {}
}
