using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.Media;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>"Go forward ten meters" at 48 kHz, in frames of 20 ms, and as Opus.</summary>
internal sealed class Speech
{
    public const int RateHz = 48_000;
    public const int FrameSamples = RateHz / 50;
    private readonly short[] _samples;

    /// <param name="pause">Silence behind the words.</param>
    public Speech(TimeSpan pause = default)
    {
        if (!File.Exists(LoadCommand.Speech)) throw new CliException($"{LoadCommand.Speech} is missing: install pocketsphinx-testdata.", CliException.Usage);
        var recorded = new short[new FileInfo(LoadCommand.Speech).Length / sizeof(short)];
        Pcm.FromBytes(File.ReadAllBytes(LoadCommand.Speech), recorded);
        using var resampler = new Resampler(16_000, RateHz);
        var speech = new short[resampler.MaxOutput(recorded.Length)];
        _samples = [.. speech[..(resampler.Process(recorded, speech) / FrameSamples * FrameSamples)], .. new short[(int)(pause.TotalSeconds * 50) * FrameSamples]];
        using var encoder = new OpusEncoder(new OpusEncoderOptions());
        var packet = new byte[OpusEncoder.MaxPacketBytes];
        Packets = [.. _samples.Chunk(FrameSamples).Select(frame => packet[..encoder.Encode(frame, packet)])];
    }

    public int Frames => Packets.Length;

    public byte[][] Packets { get; }

    /// <summary>One frame; after the last comes the first.</summary>
    public ReadOnlySpan<short> Frame(int number) => _samples.AsSpan(number % Frames * FrameSamples, FrameSamples);

    public ReadOnlySpan<byte> Packet(int number) => Packets[number % Frames];
}
