package io.weft.dataplane;

/** One exchange's part in the race of a hedged request. Its exchange's driver reads and writes it, and nobody else unless said. */
final class Lane {
    final Race race;
    /** Another attempt is under way in place of a further one of this exchange. Written by the timer thread before it lets go. */
    boolean hedged;
    /** Another attempt's outcome is the request's: the outer layers hear nothing of this one. */
    boolean outdone;
    /** The outcome that the outer layers hear of is another attempt's, of which the inner ones have heard. */
    boolean takesOver;
    /** That attempt; null before. */
    Exchange winner;

    Lane(Race race) {
        this.race = race;
    }

    boolean isLost(Exchange exchange) {
        return outdone || !takesOver && race.isLost(exchange);
    }
}
