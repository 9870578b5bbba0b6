using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace VoiceGrains.Media;

/// <summary>Arithmetic on linear 16-bit samples. Levels are relative to full scale (32,768 = 0 dBFS).</summary>
public static class Pcm
{
    /// <summary>What <see cref="Dbfs(ReadOnlySpan{short})"/> gives for digital silence, in dBFS.</summary>
    public const double SilenceDbfs = -120;

    /// <summary>Reads whole little-endian samples; an odd last byte is ignored.</summary>
    /// <returns>The number of samples written to <paramref name="pcm"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="pcm"/> is too short.</exception>
    public static int FromBytes(ReadOnlySpan<byte> s16le, Span<short> pcm)
    {
        var count = s16le.Length / sizeof(short);
        if (pcm.Length < count)
            throw new ArgumentException($"Needs room for {count} samples, has {pcm.Length}.", nameof(pcm));
        var samples = MemoryMarshal.Cast<byte, short>(s16le[..(count * sizeof(short))]);
        if (BitConverter.IsLittleEndian)
            samples.CopyTo(pcm);
        else
            BinaryPrimitives.ReverseEndianness(samples, pcm);
        return count;
    }

    /// <summary>Writes samples as little-endian bytes.</summary>
    /// <returns>The number of bytes written to <paramref name="s16le"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="s16le"/> is too short.</exception>
    public static int ToBytes(ReadOnlySpan<short> pcm, Span<byte> s16le)
    {
        var count = pcm.Length * sizeof(short);
        if (s16le.Length < count)
            throw new ArgumentException($"Needs room for {count} bytes, has {s16le.Length}.", nameof(s16le));
        var target = MemoryMarshal.Cast<byte, short>(s16le[..count]);
        if (BitConverter.IsLittleEndian)
            pcm.CopyTo(target);
        else
            BinaryPrimitives.ReverseEndianness(pcm, target);
        return count;
    }

    /// <summary>Sum of squares, exact.</summary>
    public static long Energy(ReadOnlySpan<short> pcm)
    {
        long sum = 0;
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var total = Vector<long>.Zero;
            for (; i <= pcm.Length - Vector<short>.Count; i += Vector<short>.Count)
            {
                Vector.Widen(new Vector<short>(pcm[i..]), out var low, out var high);
                // Two squares of 2^30 would overflow an int, so each half widens before it is added.
                Vector.Widen(low * low, out var a, out var b);
                Vector.Widen(high * high, out var c, out var d);
                total += a + b + c + d;
            }
            sum = Vector.Sum(total);
        }
        for (; i < pcm.Length; i++)
            sum += pcm[i] * pcm[i];
        return sum;
    }

    /// <summary>Root mean square in sample units, 0 to 32,768; 0 for an empty span.</summary>
    public static double Rms(ReadOnlySpan<short> pcm) => pcm.IsEmpty ? 0 : Math.Sqrt((double)Energy(pcm) / pcm.Length);

    /// <summary>RMS level in dBFS, not below <see cref="SilenceDbfs"/>.</summary>
    public static double Dbfs(ReadOnlySpan<short> pcm) => Dbfs(Rms(pcm));

    /// <summary>Level of an amplitude in sample units, in dBFS, not below <see cref="SilenceDbfs"/>.</summary>
    public static double Dbfs(double amplitude) => Math.Max(SilenceDbfs, 20 * Math.Log10(Math.Abs(amplitude) / 32768));

    /// <summary>The amplitude factor of a gain in decibels.</summary>
    public static float Gain(double decibels) => (float)Math.Pow(10, decibels / 20);

    /// <summary>The nearest sample, clipped to the range of 16 bits. Not-a-number becomes 0.</summary>
    public static short Saturate(float value) => (short)Math.Clamp(MathF.Round(float.IsNaN(value) ? 0 : value), short.MinValue, short.MaxValue);

    /// <summary>Sum of two samples, clipped.</summary>
    public static short Add(short a, short b) => (short)Math.Clamp(a + b, short.MinValue, short.MaxValue);

    /// <summary>Adds <paramref name="source"/> to the start of <paramref name="target"/>, clipping.</summary>
    /// <exception cref="ArgumentException"><paramref name="target"/> is shorter than <paramref name="source"/>.</exception>
    public static void Add(ReadOnlySpan<short> source, Span<short> target)
    {
        if (target.Length < source.Length)
            throw new ArgumentException($"Needs {source.Length} samples, has {target.Length}.", nameof(target));
        for (var i = 0; i < source.Length; i++)
            target[i] = Add(target[i], source[i]);
    }

    /// <summary>Multiplies in place by <paramref name="factor"/>, clipping.</summary>
    public static void Amplify(Span<short> pcm, float factor)
    {
        for (var i = 0; i < pcm.Length; i++)
            pcm[i] = Saturate(pcm[i] * factor);
    }
}
