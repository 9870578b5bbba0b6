using System.Runtime.InteropServices;

namespace VoiceGrains.Providers.Tests.Synthesis;

internal static class SpeechAsserts
{
    /// <summary>Samples as little-endian bytes.</summary>
    public static byte[] Bytes(params short[] samples) => MemoryMarshal.AsBytes(samples.AsSpan()).ToArray();

    public static async IAsyncEnumerable<string> Pieces(params string[] pieces)
    {
        foreach (var piece in pieces)
        {
            await Task.Yield();
            yield return piece;
        }
    }
}
