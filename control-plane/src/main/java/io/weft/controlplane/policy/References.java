package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHttpRoute.BackendRef;
import io.weft.controlplane.policy.PolicySet.Sourced;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Who is named by policies and is not there, as far as that is known. No reason to refuse one: whoever is named may come later.
 * Confined to one thread.
 */
public final class References {

    /**
     * Instances of the services of a mesh by their tags, each by the service's name.
     *
     * @param complete whether there are no others: those who run are known, and not only those who stand in files
     */
    public record Known(Map<String, Map<String, List<Map<String, String>>>> services, boolean complete) {

        /** What the files themselves define. */
        public static final Known NOTHING = new Known(Map.of(), false);
    }

    private final Known known;
    /** By mesh. */
    private final Map<String, Set<String>> defined = new TreeMap<>();
    private final Set<String> meshes = new TreeSet<>();
    private final Set<Unmet> unmet = new LinkedHashSet<>();

    /** Something that a policy names and that is not there; the message says what to do. */
    public record Unmet(Sourced by, String message) {

        public Problem problem() {
            return new Problem(by.file(), by.line(), "", by.resource().metadata().id() + ": " + message);
        }
    }

    private References(PolicySet policies, Known known) {
        this.known = known;
        for (Sourced sourced : policies.inForce()) {
            define(sourced.resource());
        }
        known.services().forEach((mesh, services) -> defined(mesh).addAll(services.keySet()));
    }

    /** Each name once. */
    public static List<Unmet> unmet(PolicySet policies, Known known) {
        References references = new References(policies, known);
        policies.inForce().forEach(references::check);
        return List.copyOf(references.unmet);
    }

    private Set<String> defined(String mesh) {
        return defined.computeIfAbsent(mesh, first -> new TreeSet<>());
    }

    private void define(Resource resource) {
        Metadata metadata = resource.metadata();
        if (resource instanceof Mesh) {
            meshes.add(metadata.id().name());
        } else if (resource instanceof Dataplane dataplane) {
            dataplane.inbounds().forEach(inbound -> Optional.ofNullable(inbound.tags().get(Labels.SERVICE)).ifPresent(defined(metadata.mesh())::add));
        } else if (resource instanceof MeshService || resource instanceof MeshExternalService || resource instanceof MeshMultiZoneService) {
            defined(metadata.mesh()).add(metadata.displayName());
        }
    }

    private void check(Sourced sourced) {
        Resource resource = sourced.resource();
        Named named = new Named();
        if (resource instanceof MeshHttpRoute route) {
            named.target(route.target());
            route.to().forEach(to -> {
                named.service(to.destination().name());
                to.rules().forEach(rule -> {
                    rule.backends().orElse(List.of()).forEach(named::backend);
                    rule.filters().orElse(List.of()).forEach(filter -> {
                        if (filter instanceof MeshHttpRoute.Mirror mirror) {
                            named.backend(mirror.backend());
                        }
                    });
                });
            });
        } else if (resource instanceof Policy policy) {
            named.target(policy.target().dataplanes());
            policy.to().forEach(to -> {
                if (to.destination() instanceof Policy.Services services) {
                    named.service(services.name());
                }
            });
            policy.rules().forEach(rule -> {
                if (rule.peers() instanceof Policy.OfService of) {
                    named.service(Optional.of(of.service()));
                }
            });
        } else if (resource instanceof MeshTls tls) {
            named.target(tls.target().dataplanes());
        } else if (resource instanceof MeshTrafficPermission permission) {
            named.target(permission.target().dataplanes());
        } else {
            return;
        }
        if (isOfNoMesh(sourced)) {
            return;
        }
        named.services.forEach(service -> checkService(sourced, service));
        if (!resource.metadata().shadow()) {
            // Of a shadow they are often yet to come, and nothing is sent to them.
            named.subsets.forEach(subset -> checkSubset(sourced, subset));
        }
    }

    /** What one policy names. */
    private static final class Named {
        private final Set<String> services = new TreeSet<>();
        private final List<Subset> subsets = new ArrayList<>();

        private record Subset(String service, Map<String, String> tags) {}

        private void service(Optional<String> name) {
            name.ifPresent(services::add);
        }

        private void backend(BackendRef backend) {
            service(backend.name());
            if (backend.name().isPresent() && !backend.tags().isEmpty() && backend.weight() > 0) {
                subsets.add(new Subset(backend.name().get(), new TreeMap<>(backend.tags())));
            }
        }

        private void target(TargetRef target) {
            if (target instanceof TargetRef.OfService of) {
                service(Optional.of(of.service()));
            } else if (target instanceof TargetRef.ServiceSubset subset) {
                service(Optional.of(subset.service()));
            } else if (target instanceof TargetRef.Subset subset) {
                service(Optional.ofNullable(subset.tags().get(Labels.SERVICE)));
            }
        }
    }

    private boolean isOfNoMesh(Sourced sourced) {
        String mesh = sourced.resource().metadata().mesh();
        if (meshes.contains(mesh) || !defined.getOrDefault(mesh, Set.of()).isEmpty()) {
            return false;
        }
        Set<String> others = new TreeSet<>(meshes);
        others.addAll(defined.keySet());
        // Agents need no document for their mesh: without one of any kind nothing is known.
        if (others.isEmpty() || !known.complete() && (meshes.isEmpty() || mesh.equals("default"))) {
            return false;
        }
        warn(sourced, "nobody is in mesh " + mesh + (known.complete() ? "" : ", as far as these files say") + "; there is " + String.join(", ", others)
                + Spelling.suggestion(mesh, others));
        return true;
    }

    private void checkService(Sourced sourced, String service) {
        Set<String> there = defined.getOrDefault(sourced.resource().metadata().mesh(), Set.of());
        if (there.isEmpty() || isOneOf(there, service)) {
            return;
        }
        warn(sourced, "names service " + service + ", which " + (known.complete() ? "nobody is an instance of now" : "no file here defines; an agent with WEFT_SERVICE="
                + service + " would") + Spelling.suggestion(service, there));
    }

    private void checkSubset(Sourced sourced, Named.Subset subset) {
        List<Map<String, String>> instances = known.services().getOrDefault(sourced.resource().metadata().mesh(), Map.of()).entrySet().stream()
                .filter(entry -> isCalled(entry.getKey(), subset.service()))
                .map(Map.Entry::getValue)
                .flatMap(Collection::stream)
                .toList();
        if (!known.complete() || instances.isEmpty()
                || instances.stream().anyMatch(tags -> tags.entrySet().containsAll(subset.tags().entrySet()))) {
            return;
        }
        Set<String> have = new TreeSet<>();
        instances.forEach(tags -> subset.tags().keySet().forEach(tag -> have.add(tags.containsKey(tag) ? tag + "=" + tags.get(tag) : "no " + tag)));
        List<String> wanted = new ArrayList<>();
        subset.tags().forEach((tag, value) -> wanted.add(tag + "=" + value));
        warn(sourced, "sends requests to instances of " + subset.service() + " with " + String.join(",", wanted)
                + ", of which there are none now: they get 503. Its instances have " + String.join(", ", have));
    }

    /** In a cluster a service is called NAMESPACE/NAME. */
    private static boolean isCalled(String known, String name) {
        return known.equals(name) || known.endsWith("/" + name);
    }

    private static boolean isOneOf(Set<String> known, String name) {
        return known.stream().anyMatch(each -> isCalled(each, name));
    }

    private void warn(Sourced sourced, String message) {
        unmet.add(new Unmet(sourced, message));
    }
}
