"""workers/__init__"""
