using System.Runtime.InteropServices;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>What goes through the pipes between a synthesizer and its worker: one request, then one whole answer. Both sides are always the same build.</summary>
internal static class EspeakWire
{
    private const int MaxSamples = 10_000_000, MaxWords = 10_000;

    public static void WriteRequest(BinaryWriter pipe, PhraseJob job, EspeakOptions options)
    {
        pipe.Write(job.Voice);
        pipe.Write(job.Language ?? "");
        pipe.Write(job.Text);
        pipe.Write(options.DefaultVoice);
        pipe.Write(options.WordsPerMinute);
        pipe.Write(options.Pitch);
        pipe.Flush();
    }

    public static (PhraseJob Job, EspeakOptions Options) ReadRequest(BinaryReader pipe)
    {
        var (voice, language, text) = (pipe.ReadString(), pipe.ReadString(), pipe.ReadString());
        var options = new EspeakOptions { DefaultVoice = pipe.ReadString(), WordsPerMinute = pipe.ReadInt32(), Pitch = pipe.ReadInt32() };
        return (new(voice, text, language), options);
    }

    public static void WriteFault(BinaryWriter pipe, ProviderFault fault, string message)
    {
        pipe.Write(false);
        pipe.Write((byte)fault);
        pipe.Write(message);
        pipe.Flush();
    }

    /// <summary>Writes the sound that the finished job holds.</summary>
    public static void WriteSound(BinaryWriter pipe, PhraseJob job)
    {
        var parts = new List<PhrasePart>();
        while (job.Parts.TryRead(out var part))
            parts.Add(part);
        PhraseWord[] words = [.. parts.SelectMany(part => part.Words)];
        pipe.Write(true);
        pipe.Write(parts.Count > 0 ? parts[0].SampleRateHz : 0);
        pipe.Write(words.Length);
        pipe.Write(MemoryMarshal.AsBytes(words.AsSpan()));
        pipe.Write(parts.Sum(part => part.Pcm.Length));
        foreach (var part in parts)
            pipe.Write(MemoryMarshal.AsBytes<short>(part.Pcm));
        pipe.Flush();
    }

    /// <summary>Reads an answer into the job.</summary>
    /// <exception cref="ProviderException">The fault that the worker met.</exception>
    /// <exception cref="IOException">The worker died, or sent garbage.</exception>
    public static void ReadAnswer(BinaryReader pipe, PhraseJob job)
    {
        if (!pipe.ReadBoolean())
            throw new ProviderException(EspeakSynthesizer.ProviderName, (ProviderFault)pipe.ReadByte(), pipe.ReadString());
        var rateHz = pipe.ReadInt32();
        var words = new PhraseWord[Checked(pipe.ReadInt32(), MaxWords)];
        pipe.BaseStream.ReadExactly(MemoryMarshal.AsBytes(words.AsSpan()));
        var samples = new short[Checked(pipe.ReadInt32(), MaxSamples)];
        pipe.BaseStream.ReadExactly(MemoryMarshal.AsBytes(samples.AsSpan()));
        job.Begin(rateHz, [.. words], 0, samples.Length);
        var chunk = Math.Max(1, rateHz / 5);   // 200 ms
        for (var at = 0; at < samples.Length; at += chunk)
        {
            if (!job.Write(samples.AsSpan(at, Math.Min(chunk, samples.Length - at))))
                return;
        }
    }

    private static int Checked(int count, int limit) => count >= 0 && count <= limit ? count : throw new IOException($"The espeak-ng worker announced {count} items.");
}
