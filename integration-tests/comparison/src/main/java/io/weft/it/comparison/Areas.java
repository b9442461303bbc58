package io.weft.it.comparison;

import java.util.List;

/** All generators, and which of them makes the case of a seed. */
record Areas(List<Area> areas) {

    static List<Area> all(Clusters clusters, AccessLogs logs) {
        return List.of(new RoutingArea(), new RewriteArea(), new RetryArea(clusters), new SplitArea(), new BalanceArea(clusters), new ResilienceArea(clusters), new AccessArea(), new FilterArea(clusters), new InboundArea(), new ZoneArea(clusters), new SlowStartArea(clusters),
                new MirrorArea(clusters), new HedgeArea(clusters), new BackOffArea(clusters), new OutlierArea(clusters), new BreakerArea(clusters),
                new ElsewhereArea(clusters), new LoadArea(clusters),
                new DelayArea(), new CookieArea(clusters), new LogArea(clusters, logs), new HealthArea(clusters));
    }

    /** Those in which a machine that does other things as well makes no difference. */
    static List<Area> steady(Clusters clusters, AccessLogs logs) {
        return all(clusters, logs).stream()
                .filter(area -> !(area instanceof BreakerArea || area instanceof SlowStartArea))
                .toList();
    }

    Case draw(long seed) {
        // Apart from what the generator draws, so that a case is the same whichever areas are chosen beside its own.
        Draw draw = new Draw(~seed);
        List<Area> candidates = areas.stream().filter(area -> share(area, seed) > 0).toList();
        int point = draw.between(1, candidates.stream().mapToInt(area -> share(area, seed)).sum());
        for (Area area : candidates) {
            point -= share(area, seed);
            if (point <= 0) {
                return area.draw(new Draw(seed));
            }
        }
        throw new IllegalStateException("shares");
    }

    /** Slow ones are drawn for one hundred seeds of a thousand, and then ten times as often. */
    private int share(Area area, long seed) {
        if (!area.slow() || areas.stream().allMatch(Area::slow)) {
            return area.share();
        }
        return Math.floorMod(seed, 1000) < 100 ? 10 * area.share() : 0;
    }
}
