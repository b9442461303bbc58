package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshFaultInjection.Abort;
import io.weft.controlplane.policy.MeshFaultInjection.Bandwidth;
import io.weft.controlplane.policy.MeshFaultInjection.Delay;
import io.weft.controlplane.policy.MeshFaultInjection.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what a {@code MeshFaultInjection} says, with Kuma's own checks. */
final class MeshFaultInjectionParser {

    private static final Pattern BANDWIDTH = Pattern.compile("(\\d{1,9}) ?([gmk]bps)");
    private static final Map<String, Long> KILOBITS = Map.of("kbps", 1L, "mbps", 1_000L, "gbps", 1_000_000L);

    static MeshFaultInjection read(Fields conf, PolicyKind.Place place) {
        List<Fault> faults = new ArrayList<>();
        for (Value item : conf.items("http")) {
            faults.add(fault(item));
        }
        return new MeshFaultInjection(faults);
    }

    private static Fault fault(Value item) {
        Fields fields = item.fields();
        Fault fault = new Fault(
                fields.get("abort").map(value -> abort(value.fields())),
                fields.get("delay").map(value -> delay(value.fields())),
                fields.get("responseBandwidth").map(value -> bandwidth(value.fields())));
        if (fault.abort().isEmpty() && fault.delay().isEmpty() && fault.bandwidth().isEmpty()) {
            item.refuse("injects nothing; set at least one of abort, delay and responseBandwidth");
        }
        fields.end();
        return fault;
    }

    private static Abort abort(Fields fields) {
        // Envoy injects nothing below 200.
        Abort abort = new Abort(
                (int) fields.require("httpStatus").whole(200, 599), fields.require("percentage").percentage());
        fields.end();
        return abort;
    }

    private static Delay delay(Fields fields) {
        Delay delay = new Delay(fields.require("value").positiveDuration(), fields.require("percentage").percentage());
        fields.end();
        return delay;
    }

    private static Bandwidth bandwidth(Fields fields) {
        Value limit = fields.require("limit");
        Matcher matcher = BANDWIDTH.matcher(limit.nonEmptyText().toLowerCase(java.util.Locale.ROOT));
        long kilobits = 1;
        if (matcher.matches()) {
            kilobits = Long.parseLong(matcher.group(1)) * KILOBITS.get(matcher.group(2));
        }
        if (!matcher.matches() || kilobits == 0) {
            limit.refuse("must be above zero with the unit kbps, Mbps or Gbps, as in 50Mbps");
        }
        Bandwidth bandwidth = new Bandwidth(kilobits, fields.require("percentage").percentage());
        fields.end();
        return bandwidth;
    }

    private MeshFaultInjectionParser() {}
}
