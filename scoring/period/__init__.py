"""The month: records and scored calls become findings, points, grades, pay effects and recommendations. All pure."""
