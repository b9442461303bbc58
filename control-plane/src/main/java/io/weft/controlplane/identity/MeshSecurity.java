package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.policy.CaSource;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Mesh;
import io.weft.controlplane.policy.MeshIdentity;
import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.policy.MeshTrafficPermission;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.MeshTrafficPermission.OfService;
import io.weft.controlplane.policy.MeshTrust;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.SpiffeTemplate;
import io.weft.controlplane.policy.TargetRef;
import io.weft.controlplane.policy.TlsMode;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/** Who is who in one mesh, who is believed, and who may call whom, from one state of the policies. Immutable. */
public final class MeshSecurity {

    /** Of a mesh without any policy. */
    public static final MeshSecurity NONE = new MeshSecurity(
            "", List.of(), new TreeMap<>(), List.of(), List.of(), TlsMode.STRICT);

    /** Kuma's name of a zone that was given none. */
    private static final String DEFAULT_ZONE = "default";

    private final String mesh;
    private final List<Rule> rules;
    private final SortedMap<String, List<X509Certificate>> trust;
    private final List<MeshTls> tls;
    private final List<MeshTrafficPermission> permissions;
    private final TlsMode defaultMode;

    /**
     * Who gets which identity.
     *
     * @param service whose data planes; absent: all
     */
    private record Rule(
            String name,
            Optional<String> service,
            String trustDomain,
            SpiffeTemplate path,
            Duration lifetime,
            Authority authority,
            boolean trusted) {

        boolean covers(String other) {
            return service.map(other::equals).orElse(true);
        }
    }

    private MeshSecurity(
            String mesh,
            List<Rule> rules,
            SortedMap<String, List<X509Certificate>> trust,
            List<MeshTls> tls,
            List<MeshTrafficPermission> permissions,
            TlsMode defaultMode) {
        this.mesh = mesh;
        this.rules = rules;
        this.trust = trust;
        this.tls = tls;
        this.permissions = permissions;
        this.defaultMode = defaultMode;
    }

    /**
     * @param last what held before. When an authority cannot be used, the identities of before stay: no workload is left without one because
     *     of an edit that is not in order. All else is as the policies say
     * @param failures told of each such authority; the message names its files, and where it is asked for
     */
    public static MeshSecurity of(
            String mesh, PolicySet policies, Authorities authorities, MeshSecurity last, Consumer<String> failures) {
        Sources sources = new Sources(mesh, policies, authorities, failures);
        List<MeshIdentity> identities = policies.all(MeshIdentity.class, mesh).stream()
                .filter(identity -> !identity.metadata().shadow())
                .sorted(Comparator.<MeshIdentity>comparingInt(identity -> identity.service().isPresent() ? 0 : 1)
                        .thenComparing(identity -> identity.metadata().id().name()))
                .toList();
        Optional<Mesh> itself = policies.all(Mesh.class, mesh).stream().findFirst();
        Optional<Mesh.Mtls> mtls = itself.flatMap(Mesh::mtls);
        Duration longest = Stream.concat(identities.stream().map(MeshIdentity::expiry), mtls.stream().map(Mesh.Mtls::expiry))
                .max(Duration::compareTo)
                .orElse(Duration.ZERO);
        List<Rule> rules = new ArrayList<>();
        int wanted = identities.size() + (mtls.isPresent() ? 1 : 0);
        for (MeshIdentity identity : identities) {
            Metadata metadata = identity.metadata();
            String zone = metadata.zone().isEmpty() ? DEFAULT_ZONE : metadata.zone();
            String name = String.join("_", "kri_mid", mesh, metadata.zone(), metadata.namespace(), metadata.displayName(), "");
            sources.rule(name, identity, "spec.provider.bundled", identity.source(), longest, authority -> new Rule(
                    name,
                    identity.service(),
                    identity.trustDomain().render(new SpiffeTemplate.Values(mesh, zone, "", "", "")),
                    identity.path(),
                    identity.expiry(),
                    authority,
                    identity.trusted())).ifPresent(rules::add);
        }
        if (mtls.isPresent()) {
            String name = "system_mtls_identity_" + mesh;
            sources.rule(name, itself.get(), "mtls", mtls.get().source(), longest, authority -> new Rule(
                    name,
                    Optional.empty(),
                    mesh,
                    mtls.get().path(),
                    mtls.get().expiry(),
                    authority,
                    true)).ifPresent(rules::add);
        }
        if (rules.size() < wanted) {
            rules = withThoseBefore(rules, last.rules);
        }
        return new MeshSecurity(
                mesh,
                rules,
                trust(rules, policies.all(MeshTrust.class, mesh)),
                policies.all(MeshTls.class, mesh).stream()
                        .filter(policy -> !policy.metadata().shadow())
                        .sorted(Comparator.<MeshTls>comparingInt(policy -> policy.target().rank())
                                .thenComparing(policy -> policy.metadata().displayName(), Comparator.reverseOrder()))
                        .toList(),
                policies.all(MeshTrafficPermission.class, mesh).stream()
                        .filter(policy -> !policy.metadata().shadow())
                        .toList(),
                identities.isEmpty() ? mtls.map(Mesh.Mtls::mode).orElse(TlsMode.STRICT) : TlsMode.STRICT);
    }

    /** Where rules have their authorities from. */
    private record Sources(String mesh, PolicySet policies, Authorities authorities, Consumer<String> failures) {

        /**
         * Empty: its authority cannot be used.
         *
         * @param field of the resource, which says what the authority is
         */
        Optional<Rule> rule(
                String name, Resource of, String field, CaSource source, Duration longest, Function<Authority, Rule> with) {
            try {
                return Optional.of(with.apply(authorities.of(mesh, source, longest)));
            } catch (IOException e) {
                String why = "who is who stays as it was, since the identity " + name + " cannot be given: " + e.getMessage();
                failures.accept(policies.inForce().stream()
                        .filter(sourced -> sourced.resource() == of)
                        .findFirst()
                        .map(sourced -> new Problem(sourced.file(), sourced.line(), field, why).toString())
                        .orElse(why));
                return Optional.empty();
            }
        }
    }

    private SpiffeTemplate.Values values(String zone, Workload workload) {
        return new SpiffeTemplate.Values(mesh, zone, workload.service(), workload.namespace(), workload.serviceAccount());
    }

    private static List<Rule> withThoseBefore(List<Rule> rules, List<Rule> before) {
        List<Rule> all = new ArrayList<>(rules);
        before.stream().filter(old -> rules.stream().noneMatch(rule -> rule.name.equals(old.name))).forEach(all::add);
        all.sort(Comparator.comparingInt(rule -> rule.service.isPresent() ? 0 : 1));
        return all;
    }

    private static SortedMap<String, List<X509Certificate>> trust(List<Rule> rules, List<MeshTrust> federated) {
        SortedMap<String, Set<X509Certificate>> collected = new TreeMap<>();
        for (Rule rule : rules) {
            if (rule.trusted) {
                collected.computeIfAbsent(rule.trustDomain, domain -> new LinkedHashSet<>()).addAll(rule.authority.bundle());
            }
        }
        for (MeshTrust other : federated) {
            collected.computeIfAbsent(other.trustDomain(), domain -> new LinkedHashSet<>()).addAll(other.authorities());
        }
        SortedMap<String, List<X509Certificate>> trust = new TreeMap<>();
        collected.forEach((domain, certificates) -> trust.put(domain, List.copyOf(certificates)));
        return trust;
    }

    /** Whether nothing has changed. */
    public boolean sameAs(MeshSecurity other) {
        return mesh.equals(other.mesh)
                && rules.equals(other.rules)
                && trust.equals(other.trust)
                && tls.equals(other.tls)
                && permissions.equals(other.permissions)
                && defaultMode == other.defaultMode;
    }

    /** Whether anybody in this mesh gets an identity. */
    public boolean givesIdentities() {
        return !rules.isEmpty();
    }

    /** Who the data planes of a workload are; empty: nobody gives them an identity. */
    public Optional<Identity> identity(Workload workload) {
        return rules.stream().filter(rule -> rule.covers(workload.service())).findFirst().map(rule -> new Identity(
                rule.name,
                rule.trustDomain,
                "spiffe://" + rule.trustDomain + rule.path.render(values("", workload)),
                rule.lifetime,
                rule.authority));
    }

    /** Whose certificates count, by trust domain. */
    public SortedMap<String, List<X509Certificate>> trust() {
        return trust;
    }

    /**
     * How an inbound is secured; empty: it is not.
     *
     * @param tags of each inbound of the data plane
     */
    public Optional<InboundSecurity> inbound(Metadata dataplane, List<Map<String, String>> tags, Workload workload, Dataplane.Inbound inbound) {
        if (identity(workload).isEmpty()) {
            return Optional.empty();
        }
        MeshTls.Settings settings = MeshTls.Settings.NONE;
        for (MeshTls policy : tls) {
            if (policy.metadata().reaches(dataplane) && policy.target().selects(dataplane, tags, inbound)) {
                settings = policy.settings().over(settings);
            }
        }
        List<MeshTrafficPermission> applicable = permissions.stream()
                .filter(policy -> policy.metadata().reaches(dataplane) && policy.target().selects(dataplane, tags, inbound))
                .toList();
        return Optional.of(new InboundSecurity(
                settings.mode().orElse(defaultMode), settings, Permissions.of(applicable, this::callers)));
    }

    /** By what those of a service are known; nobody, if they have no identity. */
    public List<Caller> callers(String service) {
        return identity(Workload.ofService(service))
                .map(identity -> List.of(new Caller(Caller.Kind.EXACT, identity.spiffeId())))
                .orElse(List.of());
    }

    private List<Caller> callers(MeshTrafficPermission.Source source) {
        if (source instanceof OfService service) {
            return callers(service.service());
        }
        Collection<String> domains = rules.stream().map(Rule::trustDomain).distinct().toList();
        return domains.stream().map(domain -> new Caller(Caller.Kind.PREFIX, "spiffe://" + domain + "/")).toList();
    }

    /** Versions and cipher suites for those who call. */
    public MeshTls.Settings calling() {
        MeshTls.Settings settings = MeshTls.Settings.NONE;
        for (MeshTls policy : tls) {
            if (policy.target().dataplanes() instanceof TargetRef.WholeMesh && !policy.metadata().isOfItsNamespace()) {
                settings = policy.settings().over(settings);
            }
        }
        return settings;
    }
}
