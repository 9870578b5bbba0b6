using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Where the time between the end of a user's turn and the agent's first sound went. Timestamps of the clock; 0 is unset.</summary>
internal sealed class TurnLatency
{
    /// <summary>The endpoint delay ended.</summary>
    public long Endpoint { get; set; }
    public long Recognized { get; set; }
    public long ModelRequested { get; set; }
    public long FirstDelta { get; set; }
    /// <summary>The first piece of text went to the synthesizer.</summary>
    public long SynthesisRequested { get; set; }
    public long FirstSound { get; set; }
    /// <summary>The first frame was handed to the medium.</summary>
    public long FirstSent { get; set; }
    public bool IsReported { get; set; }

    /// <summary>The parts in milliseconds, those that are known.</summary>
    public JsonObject ToJson(TimeProvider clock)
    {
        var parts = new JsonObject();
        Add("recognitionMs", Endpoint, Recognized);
        Add("modelRequestMs", Recognized != 0 ? Recognized : Endpoint, ModelRequested);
        Add("modelFirstDeltaMs", ModelRequested, FirstDelta);
        Add("firstSentenceMs", FirstDelta, SynthesisRequested);
        Add("synthesisFirstSoundMs", SynthesisRequested, FirstSound);
        Add("playoutMs", FirstSound, FirstSent);
        Add("totalMs", Endpoint, FirstSent);
        return parts;

        void Add(string name, long from, long to)
        {
            if (from != 0 && to >= from) parts[name] = Math.Round(clock.GetElapsedTime(from, to).TotalMilliseconds, 2);
        }
    }
}
