package io.weft.instrumentation.jettyclientbefore12;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.client.api.Response.DemandedContentListener;
import org.junit.jupiter.api.Test;

class DemandsTest {
    private final DemandedContentListener one = (response, demand, content, callback) -> { };
    private final DemandedContentListener other = (response, demand, content, callback) -> callback.succeeded();
    private final List<Long> asked = new ArrayList<>();

    @Test
    void whatOneWantsIsAskedForAtOnce() {
        Demands demands = new Demands(List.of(one), asked::add);

        demands.accept(one, 1);
        demands.accept(one, Long.MAX_VALUE);

        assertThat(asked).containsExactly(1L, Long.MAX_VALUE);
    }

    @Test
    void ofSeveralTheSlowestOneSaysHowMuchComes() {
        Demands demands = new Demands(List.of(one, other), asked::add);

        demands.accept(one, 3);
        assertThat(asked).isEmpty();
        demands.accept(other, 1);
        assertThat(asked).containsExactly(1L);
        demands.accept(other, Long.MAX_VALUE);
        assertThat(asked).containsExactly(1L, 2L);
    }

    @Test
    void everythingAndMoreIsEverything() {
        Demands demands = new Demands(List.of(one, other), asked::add);

        demands.accept(one, Long.MAX_VALUE);
        demands.accept(one, Long.MAX_VALUE);
        demands.accept(other, Long.MAX_VALUE);

        assertThat(asked).containsExactly(Long.MAX_VALUE);
    }
}
