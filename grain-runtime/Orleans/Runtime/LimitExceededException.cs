using System.Globalization;

namespace Orleans.Runtime;

/// <summary>A bounded queue was full, so the request was refused before it began.</summary>
public sealed class LimitExceededException : OrleansException
{
    public LimitExceededException() : base("Limit exceeded")
    {
    }

    public LimitExceededException(string message) : base(message)
    {
    }

    public LimitExceededException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Names the limit, what was found and what is allowed.</summary>
    public LimitExceededException(string limitName, int current, int threshold, object extraInfo)
        : base(string.Create(CultureInfo.InvariantCulture, $"Limit exceeded {limitName} Current={current} Threshold={threshold} {extraInfo}"))
    {
    }
}
