package io.weft.controlplane.policy;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What is in force, and why something else is not.
 *
 * @param inForce in a stable order
 * @param outdated those in force whose newest version was refused
 * @param problems of the documents that were refused
 */
public record PolicySet(List<Sourced> inForce, List<ResourceId> outdated, List<Problem> problems) {

    public static final PolicySet EMPTY = new PolicySet(List.of(), List.of(), List.of());

    public PolicySet {
        inForce = List.copyOf(inForce);
        outdated = List.copyOf(outdated);
        problems = List.copyOf(problems);
    }

    /** A resource and where it was read. */
    public record Sourced(Resource resource, String file, int line) {}

    public <T extends Resource> List<T> all(Class<T> type, String mesh) {
        return inForce.stream()
                .map(Sourced::resource)
                .filter(resource -> type.isInstance(resource) && resource.metadata().mesh().equals(mesh))
                .map(type::cast)
                .toList();
    }

    /** Whether the same resources are in force, wherever they were read. */
    public boolean sameResources(PolicySet other) {
        return resources().equals(other.resources());
    }

    /** Those of either that are otherwise or not at all in the other, in order. */
    public List<ResourceId> changedFrom(PolicySet before) {
        Map<ResourceId, Resource> was = before.resources();
        Map<ResourceId, Resource> is = resources();
        Set<ResourceId> all = new HashSet<>(was.keySet());
        all.addAll(is.keySet());
        return all.stream()
                .filter(id -> !Objects.equals(was.get(id), is.get(id)))
                .sorted(Comparator.comparing(ResourceId::toString))
                .toList();
    }

    private Map<ResourceId, Resource> resources() {
        return inForce.stream()
                .map(Sourced::resource)
                .collect(java.util.stream.Collectors.toMap(resource -> resource.metadata().id(), resource -> resource));
    }
}
