package io.weft.policy.parse;

import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.RouteAction.ClusterName;
import io.weft.policy.model.RouteAction.InHeader;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.config.route.v3.RouteAction.RequestMirrorPolicy}. */
final class MirrorPolicyParser {
    private MirrorPolicyParser() {}

    /** @param parent of {@code request_mirror_policies} */
    static List<MirrorPolicy> parse(Field parent, List<RequestMirrorPolicy> policies) {
        List<MirrorPolicy> mirrors = new ArrayList<>(policies.size());
        for (int i = 0; i < policies.size(); i++) {
            mirrors.add(policy(parent.at("request_mirror_policies", i), policies.get(i)));
        }
        return mirrors;
    }

    private static MirrorPolicy policy(Field field, RequestMirrorPolicy policy) {
        // A trace that the app began goes on in the copy, as its headers say.
        field.reportIf(policy.hasTraceSampled(), "trace_sampled");
        return new MirrorPolicy(
                cluster(field, policy),
                policy.hasRuntimeFraction()
                        ? MatchParser.fraction(field.at("runtime_fraction"), policy.getRuntimeFraction())
                        : MirrorPolicy.ALL,
                HeaderMutationParser.request(field, "request_headers_mutations", policy.getRequestHeadersMutationsList()),
                host(field, policy));
    }

    private static ClusterName cluster(Field field, RequestMirrorPolicy policy) {
        if (policy.getClusterHeader().isEmpty()) {
            return new Named(field.at("cluster").notEmpty(policy.getCluster()));
        }
        field.refuseIf(!policy.getCluster().isEmpty(), "cluster_header", "and cluster are both set; set one");
        return new InHeader(RouteParser.headerName(field.at("cluster_header"), policy.getClusterHeader()));
    }

    private static MirrorPolicy.Host host(Field field, RequestMirrorPolicy policy) {
        if (!policy.getHostRewriteLiteral().isEmpty()) {
            return new MirrorPolicy.Literal(field.at("host_rewrite_literal").headerText(policy.getHostRewriteLiteral()));
        }
        return policy.getDisableShadowHostSuffixAppend() ? new MirrorPolicy.Same() : new MirrorPolicy.Shadow();
    }
}
