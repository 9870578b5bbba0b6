using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Voices.Cloning;

/// <summary>What cloning tells operators. Meter <c>VoiceGrains.Voices</c>.</summary>
internal sealed class CloneMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _clones;

    public CloneMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("VoiceGrains.Voices");
        _clones = _meter.CreateCounter<long>("voicegrains.voices.clones", "{clone}", "Attempts to clone a voice, by provider and outcome.");
    }

    /// <param name="outcome">made, refused or failed.</param>
    public void Cloned(string provider, string outcome) => _clones.Add(1, new("provider", provider), new("outcome", outcome));

    public void Dispose() => _meter.Dispose();
}
