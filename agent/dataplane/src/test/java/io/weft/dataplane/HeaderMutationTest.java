package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HttpFilter.HeaderMutation;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeaderMutationTest {
    private static HeaderChanges request(String name, String value) {
        return new HeaderChanges(
                List.of(new Addition(name, Format.of(value), Action.OVERWRITE_IF_EXISTS_OR_ADD, false)), List.of(), List.of(), List.of());
    }

    private static HeaderChanges response(String name, String value) {
        return new HeaderChanges(
                List.of(), List.of(), List.of(new Addition(name, Format.of(value), Action.APPEND_IF_EXISTS_OR_ADD, false)), List.of());
    }

    @Test
    void oneAfterTheOtherInBothDirections() {
        HeaderChanges removal = new HeaderChanges(List.of(), List.of("x-a"), List.of(), List.of("server"));
        Served served = Served.with(new HeaderMutation(
                List.of(request("x-a", "1"), removal, request("x-b", "2"), response("x-c", "3")), false));
        Incoming incoming = served.enter(Incoming.get("/").with("x-a", "0"));
        assertThat(incoming.next()).isEqualTo(Step.PROCEED);
        assertThat(incoming.requestChanges())
                .isEqualTo(new RequestChanges(null, null, List.of(Map.entry("x-b", "2")), List.of(), List.of("x-a")));
        incoming.onResponse(200, name -> name.equals("server") ? "s" : null);
        HeaderOverlay changed = new HeaderOverlay(name -> name.equals("server") ? "s" : null);
        changed.apply(incoming.responseChanges());
        assertThat(changed.header("server")).isNull();
        assertThat(changed.header("x-c")).isEqualTo("3");
    }

    @Test
    void theConnectionManagerComesFirst() {
        Served served = Served.with(
                new HeaderMutation(List.of(request("x-who", "manager"), request("x-m", "1")), false),
                new HeaderMutation(List.of(request("x-who", "route")), false));
        Incoming incoming = served.enter(Incoming.get("/"));
        incoming.next();
        assertThat(incoming.requestChanges().set()).containsExactly(Map.entry("x-who", "route"), Map.entry("x-m", "1"));
    }
}
