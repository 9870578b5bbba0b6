using System.Runtime.CompilerServices;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>
/// A value that one thread changes and any thread may read whole: the audio path takes no lock, so a reader repeats while the writer is at work
/// (a sequence lock). It keeps the bytes in words that are each written at once.
/// </summary>
internal sealed class Published<T>
    where T : unmanaged
{
    private readonly long[] _words = new long[(Unsafe.SizeOf<T>() + 7) / 8];
    private int _version;

    /// <summary>Called by one thread at a time.</summary>
    internal void Write(in T value)
    {
        Span<long> words = stackalloc long[_words.Length];
        words[^1] = 0;
        Unsafe.WriteUnaligned(ref Unsafe.As<long, byte>(ref words[0]), value);
        Interlocked.Increment(ref _version);
        for (var index = 0; index < words.Length; index++)
            Volatile.Write(ref _words[index], words[index]);
        Interlocked.Increment(ref _version);
    }

    internal T Read()
    {
        Span<long> words = stackalloc long[_words.Length];
        var spin = new SpinWait();
        while (true)
        {
            var before = Volatile.Read(ref _version);
            for (var index = 0; index < words.Length; index++)
                words[index] = Volatile.Read(ref _words[index]);
            if ((before & 1) == 0 && Volatile.Read(ref _version) == before)
                return Unsafe.ReadUnaligned<T>(ref Unsafe.As<long, byte>(ref words[0]));
            spin.SpinOnce();
        }
    }
}
