package io.weft.upstream;

import io.weft.dataplane.Headers;
import io.weft.dataplane.health.HealthProber.Result;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Statuses;
import java.util.List;
import java.util.Map;

/** {@link HealthCheck.Http}, as Envoy asks and judges. */
final class HttpCheck implements Check {
    private final HealthCheck.Http policy;
    private final String authority;
    private final List<Map.Entry<String, String>> headers;
    /** Null: any service. */
    private final TextTest service;

    HttpCheck(HealthCheck.Http policy, String authority) {
        this.policy = policy;
        this.authority = policy.host().isEmpty() ? authority : policy.host();
        headers = CheckHeaders.of(policy.headers(), Map.entry("user-agent", "Envoy/HC"));
        service = policy.service().map(TextTest::of).orElse(null);
    }

    @Override
    public String method() {
        return policy.method();
    }

    @Override
    public String path() {
        return policy.path();
    }

    @Override
    public String authority() {
        return authority;
    }

    @Override
    public List<Map.Entry<String, String>> headers() {
        return headers;
    }

    @Override
    public String body() {
        return policy.body().latin1();
    }

    @Override
    public long receiveLimit() {
        return policy.receiveLimit();
    }

    @Override
    public Result verdict(int status, Headers headers, StringBuilder body, Headers trailers) {
        if (!Received.holds(policy.receive(), body)) {
            return Result.UNHEALTHY;
        }
        if (!in(policy.expected(), status)) {
            return in(policy.retriable(), status) ? Result.UNHEALTHY_PERHAPS : Result.UNHEALTHY;
        }
        if (service != null) {
            String checked = headers.header("x-envoy-upstream-healthchecked-cluster");
            if (!service.matches(checked == null ? "" : checked)) {
                return Result.UNHEALTHY;
            }
        }
        return headers.header("x-envoy-degraded") == null ? Result.HEALTHY : Result.DEGRADED;
    }

    private static boolean in(List<Statuses> ranges, int status) {
        for (Statuses range : ranges) {
            if (range.contains(status)) {
                return true;
            }
        }
        return false;
    }
}
