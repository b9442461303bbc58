package io.weft.controlplane.xds.policy;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.FractionalPercent.DenominatorType;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.controlplane.policy.MeshHttpRoute.Header;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import io.weft.controlplane.xds.Versioned;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Kuma's values as Envoy's. */
final class Values {

    static Duration duration(java.time.Duration duration) {
        return Duration.newBuilder().setSeconds(duration.getSeconds()).setNanos(duration.getNano()).build();
    }

    static UInt32Value number(int number) {
        return UInt32Value.of(number);
    }

    static Any any(Message message) {
        return Versioned.of("", message).message();
    }

    static Percent percent(BigDecimal percentage) {
        return Percent.newBuilder().setValue(percentage.doubleValue()).build();
    }

    /** In the coarsest unit in which it is whole. */
    static FractionalPercent fraction(BigDecimal percentage) {
        BigDecimal exact = percentage.stripTrailingZeros();
        FractionalPercent.Builder fraction = FractionalPercent.newBuilder();
        if (exact.scale() <= 0) {
            return fraction.setNumerator(exact.intValue()).build();
        }
        return exact.scale() <= 2
                ? fraction.setNumerator(exact.movePointRight(2).intValue()).setDenominator(DenominatorType.TEN_THOUSAND).build()
                : fraction.setNumerator(exact.movePointRight(4).intValue()).setDenominator(DenominatorType.MILLION).build();
    }

    /** As Kuma sends them: a list of values is several headers. */
    static List<HeaderValueOption> additions(HeaderChanges changes) {
        List<HeaderValueOption> options = new ArrayList<>();
        changes.add().forEach(header -> options.add(option(header.name(), header.value(), HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD)));
        for (Header header : changes.set()) {
            for (String value : header.value().split(",", -1)) {
                options.add(option(header.name(), value, HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD));
            }
        }
        return options;
    }

    private static HeaderValueOption option(String name, String value, HeaderAppendAction action) {
        return HeaderValueOption.newBuilder()
                // To Envoy a single % begins a command; the policy means the character.
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value.replace("%", "%%")))
                .setAppendAction(action)
                .build();
    }

    private Values() {}
}
