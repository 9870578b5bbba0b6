namespace VoiceGrains.Grains.Calls;

/// <summary>Cuts ranges into whole buckets, which are counted, and ends, which are not.</summary>
/// <param name="bounds">Bucket i goes from the bound i up to and without the next one. Rising, in microseconds.</param>
internal sealed class CountRuler(IReadOnlyList<double> bounds)
{
    /// <param name="range">Up to and without its end.</param>
    public CountedRange Cut((double From, double To) range)
    {
        if (range.From >= range.To) return new(0, 0, []);
        var (first, end) = (0, bounds.Count - 1);
        while (bounds[first] < range.From) first++;
        while (bounds[end] > range.To) end--;
        if (first > end) return new(0, 0, [('+', range.From, range.To)]);

        List<(char, double, double)> ends = [];
        if (range.From < bounds[first] && IsMostOf(bounds[first] - range.From, first - 1)) ends.Add(('-', bounds[--first], range.From));
        else if (range.From < bounds[first]) ends.Add(('+', range.From, bounds[first]));
        if (range.To > bounds[end] && IsMostOf(range.To - bounds[end], end)) ends.Add(('-', range.To, bounds[++end]));
        else if (range.To > bounds[end]) ends.Add(('+', bounds[end], range.To));
        return new(first, end, ends);
    }

    /// <summary>Then it is quicker to count the rest of the bucket and take it away.</summary>
    private bool IsMostOf(double length, int bucket) => length > (bounds[bucket + 1] - bounds[bucket]) / 2;
}

/// <param name="First">The first whole bucket.</param>
/// <param name="End">After the last one.</param>
/// <param name="Ends">What to add and what to take away.</param>
internal sealed record CountedRange(int First, int End, IReadOnlyList<(char Sign, double From, double To)> Ends);
