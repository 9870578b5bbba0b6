namespace VoiceGrains.Media.Tests;

internal static class Allocations
{
    private const int Rounds = 8;

    /// <summary>Bytes that a warmed-up action allocates on this thread, whenever it runs.</summary>
    public static long Of(Action action, int warmUp = 50, int runs = 500)
    {
        for (var i = 0; i < warmUp; i++)
            action();
        return Least(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < runs; i++)
                action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
    }

    /// <summary>
    /// The least that a round allocates. What code allocates for each frame it allocates in every round; what the runtime does at a time of its own choice
    /// (a shared pool trimmed after a collection, code compiled anew) shows in one.
    /// </summary>
    /// <param name="round">Gives the bytes of one round.</param>
    public static long Least(Func<long> round)
    {
        var least = round();
        for (var i = 1; i < Rounds && least > 0; i++)
            least = Math.Min(least, round());
        return least;
    }
}
