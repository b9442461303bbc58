package io.weft.upstream;

import io.weft.dataplane.Headers;
import io.weft.dataplane.health.HealthProber.Result;
import io.weft.policy.model.HealthCheck;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** {@code grpc.health.v1.Health/Check}: healthy is who says that it serves. */
final class GrpcCheck implements Check {
    private static final String TYPE = "application/grpc";
    private static final long MAX_TIMEOUT_MILLIS = 99_999_999;
    private static final int PREFIX = 5;

    private final HealthCheck.Grpc policy;
    private final String authority;
    private final List<Map.Entry<String, String>> headers;

    GrpcCheck(HealthCheck.Grpc policy, Duration timeout, String authority) {
        this.policy = policy;
        this.authority = policy.authority().isEmpty() ? authority : policy.authority();
        headers = CheckHeaders.of(
                policy.metadata(),
                Map.entry("content-type", TYPE),
                Map.entry("te", "trailers"),
                Map.entry("user-agent", "Envoy/HC"),
                Map.entry("grpc-timeout", Math.min(MAX_TIMEOUT_MILLIS, timeout.toMillis()) + "m"));
    }

    @Override
    public String method() {
        return "POST";
    }

    @Override
    public String path() {
        return "/grpc.health.v1.Health/Check";
    }

    @Override
    public String authority() {
        return authority;
    }

    @Override
    public List<Map.Entry<String, String>> headers() {
        return headers;
    }

    /** The request's one field is the service's name; a name of no bytes is left out. */
    @Override
    public String body() {
        byte[] name = policy.service().getBytes(StandardCharsets.UTF_8);
        StringBuilder message = new StringBuilder();
        if (name.length > 0) {
            message.append((char) (1 << 3 | 2));
            for (int length = name.length; ; length >>>= 7) {
                if (length < 0x80) {
                    message.append((char) length);
                    break;
                }
                message.append((char) (length & 0x7f | 0x80));
            }
            message.append(new String(name, StandardCharsets.ISO_8859_1));
        }
        int size = message.length();
        return new StringBuilder()
                .append((char) 0)
                .append((char) (size >>> 24))
                .append((char) (size >>> 16 & 0xff))
                .append((char) (size >>> 8 & 0xff))
                .append((char) (size & 0xff))
                .append(message)
                .toString();
    }

    @Override
    public long receiveLimit() {
        return 0;
    }

    @Override
    public Result verdict(int status, Headers headers, StringBuilder body, Headers trailers) {
        String type = headers.header("content-type");
        boolean grpc = status == 200 && type != null && type.startsWith(TYPE);
        return grpc && "0".equals(trailers.header("grpc-status")) && serves(body) ? Result.HEALTHY : Result.UNHEALTHY;
    }

    /** One message, not compressed, of which the last field 1 is 1. Unknown fields would be of a later version. */
    private static boolean serves(StringBuilder body) {
        if (body.length() < PREFIX || body.charAt(0) != 0) {
            return false;
        }
        int size = body.charAt(1) << 24 | body.charAt(2) << 16 | body.charAt(3) << 8 | body.charAt(4);
        if (size != body.length() - PREFIX) {
            return false;
        }
        boolean serves = false;
        for (int i = PREFIX; i + 1 < body.length(); i += 2) {
            if (body.charAt(i) != 1 << 3 || body.charAt(i + 1) >= 0x80) {
                return false;
            }
            serves = body.charAt(i + 1) == 1;
        }
        return serves;
    }
}
