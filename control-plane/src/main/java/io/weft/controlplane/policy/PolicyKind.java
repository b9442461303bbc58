package io.weft.controlplane.policy;

import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * One of Kuma's policies: what its entries may be for, and how what they say is read. Each is there once.
 *
 * @param <C> what it says once merged
 */
public final class PolicyKind<C> {

    /**
     * Where an entry stands.
     *
     * @param top kind of the policy's own {@code targetRef}
     * @param to kind of the entry's; empty: it is for what comes in
     * @param bySource only of what comes from some
     */
    record Place(String top, String to, boolean bySource) {

        private static final Place MERGED = new Place("Mesh", "Mesh", false);

        boolean route() {
            return top.equals("MeshHTTPRoute") || to.equals("MeshHTTPRoute");
        }
    }

    /**
     * What a kind's entries may be for.
     *
     * @param to kinds of destinations
     * @param from kinds of sources, in the older form
     * @param inbound whether there are rules for what comes in
     * @param matches whether these may be for some callers only, or why not
     * @param byRoute whether the policy itself may be for a route
     * @param subject what it speaks of at all
     */
    record Scope(
            Set<String> to, Set<String> from, boolean inbound, Matches matches, boolean byRoute, Subject subject) {

        /** It says one thing, under {@code spec.default}. */
        static Scope of(Subject subject) {
            return new Scope(Set.of(), Set.of(), false, Matches.SUPPORTED, false, subject);
        }
    }

    enum Subject {
        /** What is sent and what comes in, entry by entry. */
        TRAFFIC,
        DATAPLANE,
        /** The data plane, or by {@code sectionName} one of its inbounds. */
        DATAPLANE_OR_INBOUND
    }

    /** @param refusal why callers cannot be told apart; absent: they can */
    record Matches(Optional<String> refusal) {

        static final Matches SUPPORTED = new Matches(Optional.empty());

        static Matches refused(String reason) {
            return new Matches(Optional.of(reason));
        }
    }

    private final String name;
    private final String abbreviation;
    private final Scope scope;
    private final BiFunction<Fields, Place, C> reader;

    PolicyKind(String name, String abbreviation, Scope scope, BiFunction<Fields, Place, C> reader) {
        this.name = name;
        this.abbreviation = abbreviation;
        this.scope = scope;
        this.reader = reader;
    }

    public String name() {
        return name;
    }

    /** In Kuma's resource names. */
    public String abbreviation() {
        return abbreviation;
    }

    Scope scope() {
        return scope;
    }

    /** What was merged from entries that were found to be in order. */
    public C read(Conf merged) {
        return reader.apply(merged.fields(), Place.MERGED);
    }

    /** Notes what is not in order. */
    void check(Fields fields, Place place) {
        var unused = reader.apply(fields, place);
        fields.end();
    }

    @Override
    public String toString() {
        return name;
    }
}
