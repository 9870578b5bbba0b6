namespace VoiceGrains.Media.Tests;

internal static class Allocations
{
    /// <summary>Bytes that a warmed-up action allocates on this thread.</summary>
    public static long Of(Action action, int warmUp = 50, int runs = 500)
    {
        for (var i = 0; i < warmUp; i++)
            action();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < runs; i++)
            action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
