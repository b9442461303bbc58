package io.weft.it.comparison;

import java.util.List;

/** All generators, and which of them makes the case of a seed. */
record Areas(List<Area> areas) {

    static List<Area> all(Clusters clusters) {
        return List.of(new RoutingArea(), new RetryArea(clusters), new SplitArea(), new BalanceArea(clusters), new ResilienceArea(clusters), new AccessArea());
    }

        Case draw(long seed) {
        // Apart from what the generator draws, so that a case is the same whichever areas are chosen beside its own.
        Draw draw = new Draw(~seed);
        int point = draw.between(1, areas.stream().mapToInt(Area::share).sum());
        for (Area area : areas) {
            point -= area.share();
            if (point <= 0) {
                return area.draw(new Draw(seed));
            }
        }
        throw new IllegalStateException("shares");
    }
}
