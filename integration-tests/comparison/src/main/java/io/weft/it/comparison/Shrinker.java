package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a failing case small: leaves out one thing after the other for as long as the sides still differ. A whole round of
 * smaller cases is tried at once.
 */
final class Shrinker {
    private static final int ROUNDS = 60;
    private static final int AT_ONCE = 48;

    /** Without these a resource is invalid, which is not what is looked for. */
    private static final Set<String> REQUIRED = Set.of(
            "virtual_hosts", "name", "domains", "match", "header", "key", "regex", "pattern", "default_value", "load_assignment", "cluster_name",
            "endpoint", "address", "socket_address", "port_value", "type", "weight", "retry_on", "base_interval", "typed_config", "value", "seconds",
            "header_name", "string_match", "token_bucket", "max_tokens", "fill_interval", "stat_prefix", "max_request_bytes", "session_state",
            "cookie", "stateful_session", "append", "nanos", "object_key", "factory_key", "format_string", "descriptor_key", "descriptor_value",
            "entries", "actions", "query_parameters", "query_parameter_name", "address_prefix", "permissions", "principals", "policies");

    private final Comparison comparison;

    Shrinker(Comparison comparison) {
        this.comparison = comparison;
    }

    Verdict shrink(Verdict failed) {
        Verdict smallest = failed;
        try {
            for (int round = 0; round < ROUNDS; round++) {
                Optional<Verdict> smaller = smaller(smallest);
                if (smaller.isEmpty()) {
                    break;
                }
                smallest = smaller.get();
            }
        } catch (IllegalStateException notInForce) {
            // Whoever is sent one bad configuration after the other no longer answers at once; what there is, is small enough.
            System.err.println("shrinking ended: " + notInForce.getMessage().lines().findFirst().orElse(""));
        }
        return smallest;
    }

    private Optional<Verdict> smaller(Verdict failed) {
        List<Case> candidates = candidates(failed.one());
        for (int from = 0; from < candidates.size(); from += AT_ONCE) {
            for (Verdict verdict : comparison.run(candidates.subList(from, Math.min(candidates.size(), from + AT_ONCE)))) {
                if (verdict.difference().map(Difference::kind).equals(failed.difference().map(Difference::kind))) {
                    return Optional.of(verdict);
                }
            }
        }
        return Optional.empty();
    }

    /** The smallest first. */
    private static List<Case> candidates(Case one) {
        List<Case> candidates = new ArrayList<>();
        List<Request> requests = one.requests();
        if (one.judgement() == Judgement.EXACT) {
            if (requests.size() > 1) {
                requests.forEach(request -> candidates.add(one.withRequests(List.of(request))));
            }
            if (requests.size() > 2) {
                oneLess(requests).forEach(fewer -> candidates.add(one.withRequests(fewer)));
            }
        }
        simpler(one.routes()).forEach(routes -> candidates.add(one.with(routes)));
        simpler(one.manager()).forEach(manager -> candidates.add(one.with(manager)));
        for (int i = 0; i < one.clusters().size(); i++) {
            for (Cluster cluster : simpler(one.clusters().get(i))) {
                candidates.add(one.withClusters(replaced(one.clusters(), i, cluster)));
            }
        }
        if (one.judgement() == Judgement.EXACT) {
            for (int i = 0; i < requests.size(); i++) {
                for (Request request : requests.get(i).simpler()) {
                    candidates.add(one.withRequests(replaced(requests, i, request)));
                }
            }
        } else {
            requests.get(0).simpler().forEach(request -> candidates.add(one.withRequests(requests.stream().map(any -> request).toList())));
        }
        return candidates;
    }

    /** Lists with one element less. */
    private static <T> List<List<T>> oneLess(List<T> list) {
        List<List<T>> fewer = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            List<T> copy = new ArrayList<>(list);
            copy.remove(i);
            fewer.add(copy);
        }
        return fewer;
    }

    private static <T> List<T> replaced(List<T> list, int index, T element) {
        List<T> copy = new ArrayList<>(list);
        copy.set(index, element);
        return copy;
    }

    /** Messages that are this one with one thing less, at any depth. */
    @SuppressWarnings("unchecked")
    private static <M extends Message> List<M> simpler(M message) {
        List<M> simpler = new ArrayList<>();
        if (message.getDescriptorForType().getFullName().equals("google.protobuf.Any")) {
            Packed.unpack(message).stream()
                    .flatMap(packed -> simpler(packed).stream())
                    .forEach(packed -> simpler.add((M) Any.pack(packed)));
            return simpler;
        }
        for (Map.Entry<FieldDescriptor, Object> entry : message.getAllFields().entrySet()) {
            FieldDescriptor field = entry.getKey();
            boolean choice = field.getContainingOneof() != null && !field.toProto().getProto3Optional();
            if (field.isRepeated()) {
                List<Object> elements = (List<Object>) entry.getValue();
                if (elements.size() > 1 || !REQUIRED.contains(field.getName())) {
                    for (List<Object> fewer : oneLess(elements)) {
                        simpler.add((M) message.toBuilder().setField(field, fewer).build());
                    }
                }
                for (int i = 0; i < elements.size(); i++) {
                    if (elements.get(i) instanceof Message element) {
                        for (Message smaller : simpler(element)) {
                            simpler.add((M) message.toBuilder().setRepeatedField(field, i, smaller).build());
                        }
                    }
                }
            } else {
                boolean entryOfMap = message.getDescriptorForType().getOptions().getMapEntry();
                if (!choice && !entryOfMap && !REQUIRED.contains(field.getName())) {
                    simpler.add((M) message.toBuilder().clearField(field).build());
                }
                if (entry.getValue() instanceof Message value) {
                    for (Message smaller : simpler(value)) {
                        simpler.add((M) message.toBuilder().setField(field, smaller).build());
                    }
                }
            }
        }
        return simpler;
    }
}
